#include "model/sampling.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

#include "base/philox.hpp"
#include "kernels/lanes/math.hpp"

namespace ballast::model {

namespace {

/// Token ids, likeliest first; equal logits in id order.
std::vector<std::int32_t> ranked(std::span<const float> logits) {
  std::vector<std::int32_t> order(logits.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, std::greater{},
                           [&](std::int32_t id) { return logits[static_cast<std::size_t>(id)]; });
  return order;
}

/// How many of the likeliest reach the mass `top_p` of `total`.
std::size_t nucleus(std::span<const double> weights, double top_p, double total) {
  double mass = 0.0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    mass += weights[i];
    if (mass >= top_p * total) return i + 1;
  }
  return weights.size();
}

}  // namespace

std::int32_t sample_token(std::span<const float> logits, const SamplingRule& rule,
                          std::uint64_t seed, std::uint64_t position) {
  auto order = ranked(logits);
  if (rule.temperature <= 0.0) return order.front();
  if (rule.top_k > 0) order.resize(std::min(order.size(), rule.top_k));

  const auto logit = [&](std::int32_t id) {
    return static_cast<double>(logits[static_cast<std::size_t>(id)]);
  };
  std::vector<double> weights;
  for (const std::int32_t id : order) {
    weights.push_back(kernels::portable_exp((logit(id) - logit(order.front())) / rule.temperature));
  }
  double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  weights.resize(nucleus(weights, rule.top_p, total));
  total = std::accumulate(weights.begin(), weights.end(), 0.0);

  double target = total * open_unit(Philox{seed, RandomPurpose::sample, 0, 0}(position)[0]);
  for (std::size_t i = 0; i + 1 < weights.size(); ++i) {
    if (target < weights[i]) return order[i];
    target -= weights[i];
  }
  return order[weights.size() - 1];
}

}  // namespace ballast::model
