#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "base/team.hpp"
#include "kernels/store.hpp"
#include "tensor/element.hpp"

namespace ballast::kernels {

enum class NormKind { rms, layer };

[[nodiscard]] constexpr std::string_view name_of(NormKind kind) {
  return kind == NormKind::rms ? "rms" : "layer";
}

/// The kind of a norm, and the epsilon that keeps it from dividing by zero.
struct NormRule {
  NormKind kind;
  float epsilon;
};

/// The shape of one normalization: `rows` vectors of `dim` elements each.
struct NormDims {
  std::size_t rows;
  std::size_t dim;
};

/// y = gain ∘ x / sqrt(mean(x²) + epsilon) (RMSNorm; Zhang and Sennrich 2019), or
/// y = gain ∘ (x − mean) / sqrt(var + epsilon) (LayerNorm without bias; Ba et al. 2016).
/// x, y: [rows, dim] of any types; gain: [dim]; statistics: [rows, 2] = (mean or 0, 1/deviation).
/// y may be x.
void norm_forward(NormKind kind, NormDims dims, float epsilon, const ConstElements& x,
                  std::span<const float> gain, const Elements& y, std::span<float> statistics,
                  Team* team = nullptr);

/// sum = x + update, rounded where sum is narrow, and norm_forward of sum, in one pass. x and sum
/// are of one type, and sum may be x.
void norm_forward_of_sum(NormKind kind, NormDims dims, float epsilon, const ConstElements& x,
                         std::span<const float> update, const Elements& sum,
                         std::span<const float> gain, const Elements& y,
                         std::span<float> statistics, Team* team = nullptr);

/// The gradient of a norm's gain: a sum over rows.
struct GainGradient {
  std::span<float> values;  ///< [dim]; empty: it is not wanted
  Store store;
  std::span<float> scratch;  ///< gain_scratch_numel
};

/// The floats that norm_backward needs for the sums over parts of the rows.
[[nodiscard]] std::size_t gain_scratch_numel(NormDims dims);

/// Gradients of norm_forward. dx: [rows, dim], stored as `store_dx` says and may alias dy when
/// overwritten. dgain is summed in row order within parts of the rows, then over the parts in their
/// order; the number of parts depends on `rows` alone. `rounded_dx`, unless empty, receives dx once
/// more, rounded to its type. Throws an internal Error if dgain.scratch is too small.
void norm_backward(NormKind kind, NormDims dims, const ConstElements& x,
                   std::span<const float> gain, std::span<const float> statistics,
                   std::span<const float> dy, std::span<float> dx, Store store_dx,
                   const GainGradient& dgain, const Elements& rounded_dx = {},
                   Team* team = nullptr);

}  // namespace ballast::kernels
