#include "kernels/rope_rule.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/lanes/math.hpp"

namespace ballast::kernels {

namespace {

constexpr double kTwoPi = 6.283185307179586;

/// Frequencies that turn so often in the original context stay, slow ones are divided, and between
/// the two a straight line blends (Llama 3.1's reference code).
double llama3(const RopeRule& rule, double frequency) {
  const double turns = static_cast<double>(rule.original_context) * frequency / kTwoPi;
  const double slow = frequency / rule.factor;
  const double kept = std::clamp(
      (turns - rule.low_frequency) / (rule.high_frequency - rule.low_frequency), 0.0, 1.0);
  return (1.0 - kept) * slow + kept * frequency;
}

/// Pairs from the first to the last of which yarn blends (Peng et al. 2023, section 3.2).
struct Blend {
  double first, last;
};

Blend yarn_blend(const RopeRule& rule, std::size_t head_dim) {
  const auto dim = static_cast<double>(head_dim);
  const auto context = static_cast<double>(rule.original_context);
  // The pair, as a real number, that turns so often within the original context.
  const auto pair_of = [&](double turns) {
    return dim * portable_log(context / (turns * kTwoPi)) / (2.0 * portable_log(rule.base));
  };
  Blend blend{pair_of(rule.beta_fast), pair_of(rule.beta_slow)};
  if (rule.truncate) blend = {std::floor(blend.first), std::ceil(blend.last)};
  blend = {std::max(blend.first, 0.0), std::min(blend.last, dim - 1.0)};
  if (blend.first == blend.last) blend.last += 0.001;
  return blend;
}

double yarn(const RopeRule& rule, const Blend& blend, std::size_t pair, double frequency) {
  const double divided =
      std::clamp((static_cast<double>(pair) - blend.first) / (blend.last - blend.first), 0.0, 1.0);
  return frequency / rule.factor * divided + frequency * (1.0 - divided);
}

double magnitude_of(const RopeRule& rule) {
  if (rule.scaling != RopeScaling::yarn) return 1.0;
  if (rule.magnitude != 0.0) return rule.magnitude;
  return rule.factor <= 1.0 ? 1.0 : 0.1 * portable_log(rule.factor) + 1.0;
}

}  // namespace

RopeFrequencies rope_frequencies(const RopeRule& rule, std::size_t head_dim) {
  RopeFrequencies found{{}, magnitude_of(rule)};
  const double log_base = portable_log(rule.base);
  const Blend blend =
      rule.scaling == RopeScaling::yarn ? yarn_blend(rule, head_dim) : Blend{0.0, 0.0};
  for (std::size_t i = 0; i < head_dim / 2; ++i) {
    const double exponent = -2.0 * static_cast<double>(i) / static_cast<double>(head_dim);
    double frequency = portable_exp(exponent * log_base);
    switch (rule.scaling) {
      case RopeScaling::none:
      case RopeScaling::dynamic:
        break;
      case RopeScaling::linear:
        frequency /= rule.factor;
        break;
      case RopeScaling::llama3:
        frequency = llama3(rule, frequency);
        break;
      case RopeScaling::yarn:
        frequency = yarn(rule, blend, i, frequency);
        break;
    }
    found.frequencies.push_back(frequency);
  }
  return found;
}

}  // namespace ballast::kernels
