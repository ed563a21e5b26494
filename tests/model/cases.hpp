#pragma once

#include <string>
#include <vector>

#include "model/transformer_options.hpp"
#include "reference/variants.hpp"

namespace ballast::model {

/// Every combination of types that a model may be stored in, fp32 first.
[[nodiscard]] inline std::vector<Precision> every_precision() {
  using enum ElementType;
  return {{fp32, fp32}, {bf16, fp32}, {bf16, bf16}, {fp16, fp32}, {fp32, bf16}};
}

[[nodiscard]] inline std::string text_of(const Precision& precision) {
  return std::string{name_of(precision.compute)} + " with a stream in " +
         std::string{name_of(precision.residual)};
}

/// Every policy but none, for a model of a few blocks.
[[nodiscard]] inline std::vector<RecomputePolicy> every_recomputation() {
  return {RecomputePolicy::full(), RecomputePolicy::every(2),
          RecomputePolicy::selective(SublayerKind::attention),
          RecomputePolicy::selective(SublayerKind::feed_forward),
          RecomputePolicy::every(2, Recompute::of(SublayerKind::feed_forward))};
}

/// Odd widths, long enough sums for rounding to show, several blocks.
[[nodiscard]] inline ModelConfig odd_shape() {
  auto config = reference::tiny_shape();
  config.vocabulary = 67;
  config.dim = 48;
  config.heads = 6;
  config.kv_heads = 3;
  config.ffn = 85;
  config.layers = 3;
  return config;
}

}  // namespace ballast::model
