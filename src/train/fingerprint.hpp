#pragma once

#include <string>

#include "comm/communicator.hpp"
#include "kernels/gemm.hpp"

namespace ballast::train {

/// Everything outside the configuration that can change the bits of a training: the matrix library
/// with its version and instruction set, and whether denormals are flushed. Kernels of this project
/// are not in it, since they compute the same bits on every instruction set.
[[nodiscard]] std::string numerics_fingerprint(const kernels::Gemm& gemm);

/// Refuses, with a data Error that lists who has what, a job whose ranks would compute differently.
/// Collective.
void require_same_numerics(comm::Communicator& world, const std::string& own);

}  // namespace ballast::train
