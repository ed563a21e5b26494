#include "base/stop_signal.hpp"

#include <algorithm>
#include <csignal>
#include <sys/auxv.h>

namespace ballast {

namespace {

// A signal handler can reach nothing but static storage.
volatile std::sig_atomic_t first_signal = 0;

extern "C" void note_signal(int signal) {
  if (first_signal == 0) first_signal = signal;
}

/// Room for the handler and for all registers of this processor, wide tiles among them.
std::size_t stack_bytes() {
  constexpr std::size_t kHandler = std::size_t{64} << 10;
  return kHandler + std::max(::getauxval(AT_MINSIGSTKSZ), static_cast<unsigned long>(MINSIGSTKSZ));
}

void watch(int signal) {
  struct sigaction action {};
  action.sa_handler = note_signal;
  action.sa_flags = static_cast<int>(SA_ONSTACK | SA_RESTART);
  ::sigaction(signal, &action, nullptr);
}

void watch_unless_ignored(int signal) {
  struct sigaction before {};
  ::sigaction(signal, nullptr, &before);
  if (before.sa_handler != SIG_IGN) watch(signal);
}

}  // namespace

std::string_view describe(StopCause cause) {
  switch (cause) {
    case StopCause::none:
      return "nothing asked to stop";
    case StopCause::user_signal:
      return "SIGUSR1 asked to stop";
    case StopCause::termination:
      return "SIGTERM asked to stop";
    case StopCause::interrupt:
      return "SIGINT asked to stop";
    case StopCause::hangup:
      return "SIGHUP asked to stop";
    case StopCause::no_reader:
      return "nobody reads standard output any more";
  }
  return "";
}

StopSignal::StopSignal() : stack_(stack_bytes()) {
  stack_t stack{};
  stack.ss_sp = stack_.data();
  stack.ss_size = stack_.size();
  ::sigaltstack(&stack, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  watch(SIGUSR1);
  watch(SIGTERM);
  watch_unless_ignored(SIGINT);
  watch_unless_ignored(SIGHUP);
}

StopSignal::~StopSignal() {
  // The handler stays: a signal between the save and the end of the process changes nothing.
  stack_t none{};
  none.ss_flags = SS_DISABLE;
  ::sigaltstack(&none, nullptr);
}

StopCause StopSignal::cause() const {
  switch (first_signal) {
    case SIGUSR1:
      return StopCause::user_signal;
    case SIGTERM:
      return StopCause::termination;
    case SIGINT:
      return StopCause::interrupt;
    case SIGHUP:
      return StopCause::hangup;
    default:
      return StopCause::none;
  }
}

}  // namespace ballast
