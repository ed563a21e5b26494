#pragma once

#include <span>
#include <vector>

namespace ballast::calibrate {

struct Example {
  std::vector<double> values;  ///< finite
  bool breaks = false;
  double weight = 1.0;
};

/// P(breaks) = 1 / (1 + exp(−bias − Σ weight · value)).
struct LogisticFit {
  double bias = 0.0;
  std::vector<double> weights;
};

/// Logistic regression by Newton's method on standardized values. The penalty, added to the
/// weighted sum over examples, is half the sum of the squared weights of these values.
/// Needs examples of both kinds, with equally many values.
[[nodiscard]] LogisticFit fit_logistic(std::span<const Example> examples);

}  // namespace ballast::calibrate
