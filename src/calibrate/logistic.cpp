#include "calibrate/logistic.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "base/error.hpp"
#include "monitor/spectral/lapack.hpp"

namespace ballast::calibrate {

namespace {

constexpr double kPenalty = 1.0;
constexpr int kIterations = 100;
constexpr double kLongestStep = 5.0;  ///< far from the optimum Newton's step may overshoot
constexpr double kConverged = 1e-10;
constexpr double kRounding = 1e-12;

using Vector = std::vector<double>;

double sigmoid(double score) {
  if (score >= 0.0) return 1.0 / (1.0 + std::exp(-score));
  return std::exp(score) / (1.0 + std::exp(score));
}

/// Means and deviations of the examples' values.
struct Scale {
  Vector means;
  Vector spreads;
};

Scale scale_of(std::span<const Example> examples) {
  const std::size_t n = examples.front().values.size();
  double total = 0.0;
  for (const auto& example : examples) total += example.weight;
  Scale scale{Vector(n), Vector(n)};
  for (std::size_t i = 0; i < n; ++i) {
    double& mean = scale.means[i];
    for (const auto& e : examples) mean += e.weight * e.values[i] / total;
    double variance = 0.0;
    for (const auto& e : examples) variance += e.weight * std::pow(e.values[i] - mean, 2) / total;
    // What never changes but for rounding weighs nothing.
    const double spread = std::sqrt(variance);
    scale.spreads[i] = spread > kRounding * std::abs(mean) ? spread : 1.0;
  }
  return scale;
}

/// The constant 1, then the standardized values.
Vector input_of(const Example& example, const Scale& scale) {
  Vector input{1.0};
  for (std::size_t i = 0; i < example.values.size(); ++i) {
    input.push_back((example.values[i] - scale.means[i]) / scale.spreads[i]);
  }
  return input;
}

/// Of penalty and log-likelihood at some weights; the Hessian [n, n] is symmetric.
struct Slope {
  Vector gradient;
  Vector hessian;
};

Slope slope_at(const Vector& weights, std::span<const Example> examples,
               std::span<const Vector> inputs) {
  const std::size_t n = weights.size();
  Slope slope{Vector(n), Vector(n * n)};
  for (std::size_t i = 1; i < n; ++i) {  // the bias is not held back
    slope.gradient[i] = kPenalty * weights[i];
    slope.hessian[i * n + i] = kPenalty;
  }
  for (std::size_t e = 0; e < examples.size(); ++e) {
    const Vector& x = inputs[e];
    double score = 0.0;
    for (std::size_t i = 0; i < n; ++i) score += weights[i] * x[i];
    const double p = sigmoid(score);
    const double off = examples[e].weight * (p - (examples[e].breaks ? 1.0 : 0.0));
    const double spread = std::max(examples[e].weight * p * (1.0 - p), 1e-12);
    for (std::size_t i = 0; i < n; ++i) {
      slope.gradient[i] += off * x[i];
      for (std::size_t k = 0; k < n; ++k) slope.hessian[i * n + k] += spread * x[i] * x[k];
    }
  }
  return slope;
}

double largest(const Vector& values) {
  double most = 0.0;
  for (const double value : values) most = std::max(most, std::abs(value));
  return most;
}

Vector newton(std::span<const Example> examples, std::span<const Vector> inputs) {
  Vector weights(inputs.front().size());
  for (int iteration = 0; iteration < kIterations; ++iteration) {
    auto [step, hessian] = slope_at(weights, examples, inputs);
    if (monitor::lapack::solve_positive(step.size(), hessian, step) !=
        monitor::lapack::Outcome::converged) {
      throw internal_error("a Hessian of {} weights is not positive definite", weights.size());
    }
    const double longest = largest(step);
    const double held = longest > kLongestStep ? kLongestStep / longest : 1.0;
    for (std::size_t i = 0; i < weights.size(); ++i) weights[i] -= held * step[i];
    if (longest < kConverged) return weights;
  }
  throw data_error(
      "the fit has not converged after {} steps: name fewer --features, or runs that differ more",
      kIterations);
}

}  // namespace

LogisticFit fit_logistic(std::span<const Example> examples) {
  const Scale scale = scale_of(examples);
  std::vector<Vector> inputs;
  for (const auto& example : examples) inputs.push_back(input_of(example, scale));
  const Vector standardized = newton(examples, inputs);
  LogisticFit fit{standardized.front(), {}};
  for (std::size_t i = 0; i < scale.means.size(); ++i) {
    const double weight = standardized[i + 1] / scale.spreads[i];
    fit.weights.push_back(weight);
    fit.bias -= weight * scale.means[i];
  }
  return fit;
}

}  // namespace ballast::calibrate
