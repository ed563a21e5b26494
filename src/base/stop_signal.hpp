#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace ballast {

/// A request to save the state of a training and stop.
enum class StopCause { none, user_signal, termination, interrupt, hangup, no_reader };
inline constexpr std::size_t kStopCauses = 6;

/// The same as the beginning of a sentence that goes on with ": saving step 7".
[[nodiscard]] std::string_view describe(StopCause cause);

/// Notices SIGUSR1, SIGTERM, SIGINT and SIGHUP from its construction to the end of the process,
/// however many arrive: a state that is saved because of the first must not be lost by the next. A
/// process makes one at most, before MPI is initialized. SIGHUP and SIGINT stay ignored if they
/// were ignored before (nohup, a shell's background). SIGPIPE is ignored: if a reader goes away,
/// the write fails instead.
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
