#include "train/stop_signal.hpp"

#include <algorithm>
#include <csignal>
#include <sys/auxv.h>

namespace ballast::train {

namespace {

// A signal handler can reach nothing but static storage.
volatile std::sig_atomic_t stop_requested = 0;

extern "C" void request_stop(int) { stop_requested = 1; }

/// Room for the handler and for all registers of this processor, wide tiles among them.
std::size_t stack_bytes() {
  constexpr std::size_t kHandler = std::size_t{64} << 10;
  return kHandler + std::max(::getauxval(AT_MINSIGSTKSZ), static_cast<unsigned long>(MINSIGSTKSZ));
}

void watch(int signal) {
  struct sigaction action {};
  action.sa_handler = request_stop;
  action.sa_flags = static_cast<int>(SA_ONSTACK | SA_RESTART | SA_RESETHAND);
  ::sigaction(signal, &action, nullptr);
}

}  // namespace

StopSignal::StopSignal() : stack_(stack_bytes()) {
  stack_t stack{};
  stack.ss_sp = stack_.data();
  stack.ss_size = stack_.size();
  ::sigaltstack(&stack, nullptr);
  stop_requested = 0;
  watch(SIGUSR1);
  watch(SIGTERM);
}

StopSignal::~StopSignal() {
  std::signal(SIGUSR1, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
  stack_t none{};
  none.ss_flags = SS_DISABLE;
  ::sigaltstack(&none, nullptr);
}

bool StopSignal::requested() const { return stop_requested != 0; }

}  // namespace ballast::train
