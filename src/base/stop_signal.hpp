#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace ballast {

/// What asks a training to save its state and stop.
enum class StopCause { none, user_signal, termination, interrupt, hangup, no_reader };
inline constexpr std::size_t kStopCauses = 6;

/// The same as the beginning of a sentence that goes on with ": saving step 7".
[[nodiscard]] std::string_view describe(StopCause cause);

/// Notices SIGUSR1, SIGTERM, SIGINT and SIGHUP, however many of them come and whenever, from its
/// construction to the end of the process: what is saved because of the first must not be lost by
/// the next. So there is one in a process at most, made before MPI is initialised. SIGHUP and
/// SIGINT that were ignored before (nohup, a shell's background) stay so. SIGPIPE is ignored: a
/// reader that goes away is an error of the write that misses it.
///
/// The handler runs on a stack of its own while the object lives: generated code in matrix
/// libraries may hold something else in the stack pointer for a while, and a signal that arrives
/// then would write its frame there.
class StopSignal {
 public:
  StopSignal();
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  /// The first signal that came, or none.
  [[nodiscard]] StopCause cause() const;

 private:
  std::vector<std::byte> stack_;
};

}  // namespace ballast
