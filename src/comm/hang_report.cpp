#include "comm/hang_report.hpp"

#include <algorithm>
#include <csignal>
#include <fcntl.h>
#include <unistd.h>
#include <vector>

#include "base/checked_cast.hpp"
#include "comm/mpi_check.hpp"

namespace ballast::comm {

namespace {

constexpr std::size_t kNamedPeers = 8;

std::string list(const Roster& roster, const std::vector<int>& peers) {
  std::string text;
  const std::size_t named = std::min(peers.size(), kNamedPeers);
  for (std::size_t i = 0; i < named; ++i) {
    text += fmt::format("{}{}", i == 0 ? "" : ", ", roster.label(peers[i]));
  }
  if (peers.size() > named) text += fmt::format(" and {} more", peers.size() - named);
  return text;
}

std::string place_and_step(const Reporter& reporter, const Place& place) {
  return reporter.step == 0 ? describe(place)
                            : fmt::format("{} at step {}", describe(place), reporter.step);
}

/// One write, so that the lines of several ranks do not mix.
void write_to(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

/// A file system that hangs must not keep the process from its end: standard error comes first, and
/// an alarm ends what waits for the disk.
void append_to(const std::filesystem::path& file, std::string_view text) {
  constexpr unsigned kDiskPatience_s = 10;
  if (file.empty()) return;
  std::signal(SIGALRM, [](int) { ::_exit(static_cast<int>(ExitCode::internal)); });
  ::alarm(kDiskPatience_s);
  const int descriptor = ::open(file.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  if (descriptor >= 0) write_to(descriptor, text);
}

}  // namespace

void end_stuck(const Reporter& reporter, const Place& place, const Exchange::Missing& missing,
               double waited_s) {
  std::string why;
  if (!missing.silent.empty()) {
    why = fmt::format("nothing came from {}", list(reporter.roster, missing.silent));
  }
  if (!missing.unwilling.empty()) {
    why += fmt::format("{}what was sent was not received by {}", why.empty() ? "" : "; ",
                       list(reporter.roster, missing.unwilling));
  }
  const std::string text =
      fmt::format("ballast: {} waited {:.3g} s in {}: {}\n", reporter.roster.label(reporter.rank),
                  waited_s, place_and_step(reporter, place), why);
  write_to(STDERR_FILENO, text);
  append_to(reporter.last_words, text);
  ::_exit(static_cast<int>(ExitCode::internal));
}

Error bad_message(const Reporter& reporter, const Place& place, const Exchange::Fault& fault) {
  const std::string where = fmt::format("{} on {}", place_and_step(reporter, place),
                                        reporter.roster.label(reporter.rank));
  const std::string peer = reporter.roster.label(fault.peer);
  switch (fault.kind) {
    case Exchange::Fault::Kind::too_long:
      return internal_error("{}: more than the {} bytes expected came from {}; the ranks disagree",
                            where, fault.expected, peer);
    case Exchange::Fault::Kind::too_short:
      return internal_error("{}: {} bytes came from {} where {} were expected; the ranks disagree",
                            where, fault.received, peer, fault.expected);
    default:
      return internal_error("{}: the exchange with {} failed: {}", where, peer,
                            mpi_error_text(fault.code));
  }
}

}  // namespace ballast::comm
