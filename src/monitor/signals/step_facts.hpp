#pragma once

#include <cstdint>

namespace ballast::monitor {

/// What every step says of itself, the same on every rank.
struct StepFacts {
  std::uint64_t step = 0;
  double loss = 0.0;
  double log_z = 0.0;  ///< mean of ln of the output softmax's denominator
  double grad_norm = 0.0;
  double lr = 0.0;
  bool was_skipped = false;  ///< its update, since something was not finite
  bool is_scaled = false;    ///< the loss is, so that a skipped update is to be expected at times
};

}  // namespace ballast::monitor
