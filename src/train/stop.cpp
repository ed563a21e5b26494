#include "train/stop.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace ballast::train {

void StopCounts::add(StopCause cause) {
  if (cause != StopCause::none) ++values_[static_cast<std::size_t>(cause)];
}

StopCause StopCounts::cause() const {
  const auto most = std::ranges::max_element(values_);
  return *most == 0 ? StopCause::none : static_cast<StopCause>(most - values_.begin());
}

void end_if_stopped(comm::Communicator& world, const StopSignal& stop_signal) {
  StopCounts counts;
  counts.add(stop_signal.cause());
  world.sum(counts.values(), {"signals before the first step"});
  if (counts.cause() == StopCause::none) return;
  throw Error{ExitCode::run_again,
              fmt::format("{} before the first step: nothing was computed, so nothing is lost; "
                          "earlier checkpoints are unchanged, and the same command starts again",
                          describe(counts.cause()))};
}

}  // namespace ballast::train
