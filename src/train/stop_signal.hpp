#pragma once

#include <cstddef>
#include <vector>

namespace ballast::train {

/// Notices SIGUSR1 and SIGTERM while it lives; a second one of a kind ends the process as usual.
///
/// The handler runs on a stack of its own: generated code in matrix libraries may hold something
/// else in the stack pointer for a while, and a signal that arrives then would write its frame
/// there.
class StopSignal {
 public:
  StopSignal();
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  [[nodiscard]] bool requested() const;

 private:
  std::vector<std::byte> stack_;
};

}  // namespace ballast::train
