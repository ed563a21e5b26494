#pragma once

namespace ballast::train {

/// Catches SIGUSR1 and SIGTERM for its lifetime: the first asks for a checkpoint and an orderly
/// end, a second one of the same kind acts as if nobody caught it.
class StopSignal {
 public:
  StopSignal();
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  [[nodiscard]] bool requested() const;
};

}  // namespace ballast::train
