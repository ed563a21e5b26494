#pragma once

#include <string>

#include "base/error.hpp"
#include "comm/communicator.hpp"
#include "comm/exchange.hpp"

namespace ballast::comm {

/// "all_gather of unit block.3"
[[nodiscard]] std::string describe(const Place& place);

/// Says on standard error, and in the communicator's file for last words, which rank waited, on
/// which host, in what, and for whom, and ends the process with exit code 70. It calls no MPI,
/// which might wait for the same peers; the launcher ends the others.
[[noreturn]] void end_stuck(const Communicator& comm, const Place& place,
                            const Exchange::Missing& missing, double waited_s);

/// The Error for a message that came, but wrong.
[[nodiscard]] Error bad_message(const Communicator& comm, const Place& place,
                                const Exchange::Fault& fault);

}  // namespace ballast::comm
