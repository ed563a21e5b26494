#pragma once

#include <cstdint>
#include <filesystem>

#include "base/error.hpp"
#include "comm/exchange.hpp"
#include "comm/place.hpp"
#include "comm/roster.hpp"

namespace ballast::comm {

/// The rank that reports, and its training step (0: none). The references are used during the call
/// only.
struct Reporter {
  const Roster& roster;
  int rank;
  std::uint64_t step;
  const std::filesystem::path& last_words;  ///< a file that gets the report, too; empty: none
};

/// Writes to standard error, and to the file for last words, which rank waited, on which host, in
/// which collective and for which ranks, and ends the process with exit code 70. It calls no MPI,
/// which might wait for the same peers; the launcher ends the other ranks.
[[noreturn]] void end_stuck(const Reporter& reporter, const Place& place,
                            const Exchange::Missing& missing, double waited_s);

/// The Error for a message that arrived, but with a wrong length or an error of MPI.
[[nodiscard]] Error bad_message(const Reporter& reporter, const Place& place,
                                const Exchange::Fault& fault);

}  // namespace ballast::comm
