#pragma once

#include <cstddef>
#include <limits>
#include <vector>

#include "monitor/signals/history.hpp"

namespace ballast::monitor {

/// What a run needs to go on with its LossRise after a resume.
struct LossRiseState {
  std::vector<double> recent;  ///< losses of the last steps, oldest first
  double lowest = std::numeric_limits<double>::infinity();
};

/// How far the loss, smoothed over its last steps, stands above the lowest that it ever was.
class LossRise {
 public:
  /// Steps of the trailing mean; of fewer at the start.
  static constexpr std::size_t kSmoothed = 10;

  /// A loss in nats a token; one that is not finite is passed over.
  void push(double loss);
  /// Nats, 0 or more; 0 before there was a loss.
  [[nodiscard]] double value() const;

  [[nodiscard]] LossRiseState state() const;
  void restore(const LossRiseState& state);

 private:
  [[nodiscard]] double smoothed() const;

  History recent_{kSmoothed};
  double lowest_ = std::numeric_limits<double>::infinity();
};

}  // namespace ballast::monitor
