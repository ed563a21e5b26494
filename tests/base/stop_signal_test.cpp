#include "base/stop_signal.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <gtest/gtest.h>
#include <optional>
#include <unistd.h>

namespace ballast {
namespace {

/// Handlers last as long as the process, so each case has one of its own: `act` there, then an end
/// with 0 if `act` says so.
template <class Act>
void in_a_process(Act act) {
  EXPECT_EXIT(std::_Exit(act() ? 0 : 1), testing::ExitedWithCode(0), "");
}

StopCause cause_of(int signal) {
  const StopSignal stop_signal;
  ::raise(signal);
  return stop_signal.cause();
}

TEST(StopSignal, NamesTheSignalThatCame) {
  in_a_process([] { return cause_of(SIGUSR1) == StopCause::user_signal; });
  in_a_process([] { return cause_of(SIGTERM) == StopCause::termination; });
  in_a_process([] { return cause_of(SIGINT) == StopCause::interrupt; });
  in_a_process([] { return cause_of(SIGHUP) == StopCause::hangup; });
  in_a_process([] { return StopSignal{}.cause() == StopCause::none; });
}

TEST(StopSignal, TakesAnyNumberAndKeepsTheFirst) {
  in_a_process([] {
    const StopSignal stop_signal;
    for (const int signal : {SIGTERM, SIGUSR1, SIGUSR1, SIGTERM, SIGINT, SIGHUP}) ::raise(signal);
    return stop_signal.cause() == StopCause::termination;
  });
}

TEST(StopSignal, StandsUntilTheProcessEnds) {
  in_a_process([] {
    std::optional<StopSignal> stop_signal{std::in_place};
    stop_signal.reset();
    for (const int signal : {SIGTERM, SIGUSR1, SIGINT, SIGHUP}) ::raise(signal);
    return true;
  });
}

TEST(StopSignal, LeavesIgnoredWhatNohupIgnored) {
  in_a_process([] {
    std::signal(SIGHUP, SIG_IGN);
    std::signal(SIGINT, SIG_IGN);
    return cause_of(SIGHUP) == StopCause::none && cause_of(SIGINT) == StopCause::none;
  });
}

TEST(StopSignal, AClosedPipeIsAnErrorOfTheWrite) {
  in_a_process([] {
    const StopSignal stop_signal;
    std::array<int, 2> ends{};
    if (::pipe(ends.data()) != 0) return false;
    ::close(ends[0]);
    return ::write(ends[1], "x", 1) == -1 && errno == EPIPE &&
           stop_signal.cause() == StopCause::none;
  });
}

}  // namespace
}  // namespace ballast
