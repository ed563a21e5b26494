#pragma once

#include <array>
#include <cstdint>

#include "base/stop_signal.hpp"
#include "comm/communicator.hpp"

namespace ballast::train {

/// How many ranks were asked to stop, by cause; to be summed over the ranks. `none` is not counted.
class StopCounts {
 public:
  /// This rank was asked by `cause`.
  void add(StopCause cause);
  /// The cause that stops most ranks, or none.
  [[nodiscard]] StopCause cause() const;

  [[nodiscard]] std::array<std::int64_t, kStopCauses>& values() { return values_; }

 private:
  std::array<std::int64_t, kStopCauses> values_{};
};

/// To be called before the first step: throws an Error with code 75 on all ranks if one of them got
/// a signal. Nothing was computed yet, so the same command can start again. Collective.
void end_if_stopped(comm::Communicator& world, const StopSignal& stop_signal);

}  // namespace ballast::train
