#pragma once

#include <cstdint>
#include <filesystem>

#include "base/error.hpp"
#include "comm/exchange.hpp"
#include "comm/place.hpp"
#include "comm/roster.hpp"

namespace ballast::comm {

/// The rank that reports, and the training step that it has come to (0: none). Borrows for the
/// call.
struct Reporter {
  const Roster& roster;
  int rank;
  std::uint64_t step;
  const std::filesystem::path& last_words;  ///< a file that gets the report, too; empty: none
};

/// Says on standard error, and in the file for last words, which rank waited, on
/// which host, in what, and for whom, and ends the process with exit code 70. It calls no MPI,
/// which might wait for the same peers; the launcher ends the others.
[[noreturn]] void end_stuck(const Reporter& reporter, const Place& place,
                            const Exchange::Missing& missing, double waited_s);

/// The Error for a message that came, but wrong.
[[nodiscard]] Error bad_message(const Reporter& reporter, const Place& place,
                                const Exchange::Fault& fault);

}  // namespace ballast::comm
