#pragma once

#include <array>
#include <cstdint>

#include "base/stop_signal.hpp"
#include "comm/communicator.hpp"

namespace ballast::train {

/// How many ranks were asked to stop, by cause: sums that all ranks come to share. `none` counts
/// nothing.
class StopCounts {
 public:
  /// This rank was asked by `cause`.
  void add(StopCause cause);
  /// What asked most ranks, or none.
  [[nodiscard]] StopCause cause() const;

  [[nodiscard]] std::array<std::int64_t, kStopCauses>& values() { return values_; }

 private:
  std::array<std::int64_t, kStopCauses> values_{};
};

/// Before the first step: an Error with code 75 on all ranks once any of them got a signal. Nothing
/// is computed yet, so nothing is lost, and the same command begins again. Collective.
void end_if_stopped(comm::Communicator& world, const StopSignal& stop_signal);

}  // namespace ballast::train
