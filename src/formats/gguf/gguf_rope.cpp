#include "formats/gguf/gguf_rope.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <span>

#include "base/error.hpp"
#include "base/text.hpp"
#include "formats/gguf/gguf_names.hpp"
#include "kernels/lanes/math.hpp"

namespace ballast::formats {

namespace {

using kernels::RopeRule;
using kernels::RopeScaling;

constexpr double kTwoPi = 6.283185307179586;
constexpr double kMostContext = 1 << 20;

/// What llama.cpp multiplies cosines and sines by under yarn before it looks at attn_factor.
double yarn_magnitude(double factor) {
  return factor <= 1.0 ? 1.0 : 0.1 * kernels::portable_log(factor) + 1.0;
}

double above_zero(const GgufKeys& keys, const std::string& key, double fallback) {
  const double value = keys.number(key, fallback);
  if (value <= 0.0) keys.refuse(key, "is not above 0");
  return value;
}

std::vector<double> plain_frequencies(const RopeRule& rule, std::size_t head_dim) {
  return kernels::rope_frequencies({.base = rule.base}, head_dim).frequencies;
}

/// Whether llama3 with such an original context divides frequencies by these factors. (Programs
/// compute them in fp32.)
bool gives(const RopeRule& rule, std::span<const double> frequencies,
           std::span<const float> factors) {
  constexpr double kTolerance = 1e-5;
  for (std::size_t i = 0; i < factors.size(); ++i) {
    const double turns = static_cast<double>(rule.original_context) * frequencies[i] / kTwoPi;
    const double kept = std::clamp(
        (turns - rule.low_frequency) / (rule.high_frequency - rule.low_frequency), 0.0, 1.0);
    const double factor = 1.0 / ((1.0 - kept) / rule.factor + kept);
    if (std::abs(factor / static_cast<double>(factors[i]) - 1.0) > kTolerance) return false;
  }
  return true;
}

/// Numbers from lowest to highest.
struct Range {
  double lowest, highest;
};

/// Which original contexts can give the factor of a pair that turns so fast: any below or above
/// some number where the pair is divided wholly or not at all, else nearly one.
Range contexts_for(const RopeRule& rule, double frequency, double factor) {
  constexpr double kNear = 1e-5;
  const double slack = kNear / (1.0 - 1.0 / rule.factor);
  const double kept = (1.0 / factor - 1.0 / rule.factor) / (1.0 - 1.0 / rule.factor);
  const double span = rule.high_frequency - rule.low_frequency;
  const auto context_of = [&](double share) {
    return (rule.low_frequency + share * span) * kTwoPi / frequency;
  };
  Range range{1.0, kMostContext};
  if (kept - slack > 0.0) range.lowest = context_of(kept - slack);
  if (kept + slack < 1.0) range.highest = context_of(kept + slack);
  return range;
}

/// A rule that gives these factors; nothing if there is none. Powers of two come first: models have
/// such contexts, and where no pair of a head is between the two turns many numbers fit.
std::optional<RopeRule> find_llama3(RopeRule rule, std::span<const double> frequencies,
                                    std::span<const float> factors) {
  constexpr double kMostTried = 100.0;
  rule.scaling = RopeScaling::llama3;
  rule.factor = static_cast<double>(*std::ranges::max_element(factors));
  if (rule.factor <= 1.0) return std::nullopt;
  Range range{1.0, kMostContext};
  for (std::size_t i = 0; i < factors.size(); ++i) {
    const Range own = contexts_for(rule, frequencies[i], static_cast<double>(factors[i]));
    range = {std::max(range.lowest, own.lowest), std::min(range.highest, own.highest)};
  }
  const auto fits = [&](double context) {
    rule.original_context = static_cast<std::size_t>(context);
    return context >= range.lowest && gives(rule, frequencies, factors);
  };
  for (double context = 1.0; context <= range.highest; context *= 2.0) {
    if (fits(context)) return rule;
  }
  const double first = std::ceil(range.lowest);
  const double last = std::min(range.highest, first + kMostTried);
  for (double context = first; context <= last; context += 1.0) {
    if (fits(context)) return rule;
  }
  return std::nullopt;
}

RopeRule read_factors(const GgufFile& file, const RopeRule& rule, std::size_t head_dim) {
  const GgufTensor& tensor = file.tensor(kRopeFactorsName);
  const auto refuse = [&](std::string_view why) {
    throw data_error("{}: tensor '{}' {}", file.path().string(), kRopeFactorsName, why);
  };
  if (tensor.type != BlockType::f32 || tensor.numel != head_dim / 2) {
    refuse(fmt::format("is not F32 with one element for each of the {} pairs of a head",
                       head_dim / 2));
  }
  std::vector<float> factors(tensor.numel);
  file.read(tensor.name, 0, factors);
  const bool are_factors = std::ranges::all_of(
      factors, [](float factor) { return std::isfinite(factor) && factor > 0.0f; });
  if (!are_factors) refuse("has factors that are no numbers above 0");
  const bool are_ones = std::ranges::all_of(factors, [](float factor) { return factor == 1.0f; });
  if (are_ones) return rule;
  if (rule.scaling != RopeScaling::none) refuse("stands beside another scaling of frequencies");
  const auto found = find_llama3(rule, plain_frequencies(rule, head_dim), factors);
  if (!found) refuse("follows no rule that Ballast has: llama3 between 1 and 4 turns");
  return *found;
}

RopeScaling read_scaling(const GgufKeys& keys, const std::string& key, double factor) {
  const std::string type = keys.text(key, "linear");
  if (type == "yarn") return RopeScaling::yarn;
  if (type == "linear") return factor == 1.0 ? RopeScaling::none : RopeScaling::linear;
  if (type != "none") keys.refuse(key, "is none of none, linear and yarn, which Ballast computes");
  return RopeScaling::none;
}

void read_yarn(const GgufKeys& keys, const std::string& scaling, std::size_t context,
               RopeRule& rule) {
  rule.original_context = keys.whole(scaling + "original_context_length", context);
  rule.beta_fast = above_zero(keys, scaling + "yarn_beta_fast", rule.beta_fast);
  rule.beta_slow = above_zero(keys, scaling + "yarn_beta_slow", rule.beta_slow);
  const std::string own = scaling + "attn_factor";
  if (keys.has(own)) rule.magnitude = above_zero(keys, own, 1.0) * yarn_magnitude(rule.factor);
}

}  // namespace

GgufMetadata gguf_rope_keys(const model::ModelConfig& model, const std::string& prefix) {
  const RopeRule& rule = model.rope;
  const std::string scaling = prefix + "rope.scaling.";
  GgufMetadata keys{{prefix + "rope.dimension_count", static_cast<std::uint32_t>(model.head_dim())},
                    {prefix + "rope.freq_base", static_cast<float>(rule.base)}};
  if (rule.scaling != RopeScaling::linear && rule.scaling != RopeScaling::yarn) return keys;
  keys.push_back({scaling + "type", std::string{name_of(rule.scaling)}});
  keys.push_back({scaling + "factor", static_cast<float>(rule.factor)});
  if (rule.scaling != RopeScaling::yarn) return keys;
  keys.push_back(
      {scaling + "original_context_length", static_cast<std::uint32_t>(rule.original_context)});
  keys.push_back({scaling + "yarn_beta_fast", static_cast<float>(rule.beta_fast)});
  keys.push_back({scaling + "yarn_beta_slow", static_cast<float>(rule.beta_slow)});
  if (rule.magnitude != 0.0) {
    const double beside_own = rule.magnitude / yarn_magnitude(rule.factor);
    keys.push_back({scaling + "attn_factor", static_cast<float>(beside_own)});
  }
  return keys;
}

std::vector<float> rope_factors(const RopeRule& rule, std::size_t head_dim) {
  std::vector<float> factors;
  if (rule.scaling != RopeScaling::llama3) return factors;
  const auto plain = plain_frequencies(rule, head_dim);
  const auto scaled = kernels::rope_frequencies(rule, head_dim).frequencies;
  for (std::size_t i = 0; i < plain.size(); ++i) {
    factors.push_back(static_cast<float>(plain[i] / scaled[i]));
  }
  return factors;
}

RopeRule read_gguf_rope(const GgufFile& file, const GgufKeys& keys, const std::string& prefix,
                        const model::ModelConfig& model) {
  RopeRule rule;
  const std::string base = prefix + "rope.freq_base";
  rule.base = keys.number(base, rule.base);
  if (rule.base <= 1.0) keys.refuse(base, "is not above 1");
  const std::string scaling = prefix + "rope.scaling.";
  const std::string old_factor = prefix + "rope.scale_linear";
  const double factor =
      above_zero(keys, keys.has(scaling + "factor") ? scaling + "factor" : old_factor, 1.0);
  rule.scaling = read_scaling(keys, scaling + "type", factor);
  if (rule.scaling != RopeScaling::none) rule.factor = factor;
  if (rule.scaling == RopeScaling::yarn) read_yarn(keys, scaling, model.context, rule);
  if (!file.contains(kRopeFactorsName)) return rule;
  return read_factors(file, rule, model.head_dim());
}

}  // namespace ballast::formats
