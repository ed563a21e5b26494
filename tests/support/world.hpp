#pragma once

#include "comm/communicator.hpp"

namespace ballast::test {

/// All ranks of the test program. mpi_test_main.cpp provides it, and renews it after a failure,
/// since a rank that left a test early has missed collectives.
[[nodiscard]] comm::Communicator& world();

}  // namespace ballast::test
