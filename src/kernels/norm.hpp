#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "base/team.hpp"
#include "kernels/column_sums.hpp"
#include "kernels/store.hpp"
#include "tensor/element.hpp"

namespace ballast::kernels {

enum class NormKind { rms, layer };

[[nodiscard]] constexpr std::string_view name_of(NormKind kind) {
  return kind == NormKind::rms ? "rms" : "layer";
}

/// The kind of a norm, the epsilon that keeps it from dividing by zero, and what its gain is stored
/// without.
struct NormRule {
  NormKind kind;
  float epsilon;
  /// Added to the gain as it is read: 1 where models keep w and multiply by 1 + w (Gemma Team
  /// 2024), so that weight decay draws the gain to 1.
  float gain_offset = 0.0f;
};

/// The shape of one normalization: `rows` vectors of `dim` elements each.
struct NormDims {
  std::size_t rows;
  std::size_t dim;
};

/// y = gain ∘ x / sqrt(mean(x²) + epsilon) (RMSNorm; Zhang and Sennrich 2019), or
/// y = gain ∘ (x − mean) / sqrt(var + epsilon) (LayerNorm without bias; Ba et al. 2016), where the
/// gain is `gain` plus the rule's offset.
/// x, y: [rows, dim] of any types; gain: [dim]; statistics: [rows, 2] = (mean or 0, 1/deviation).
/// y may be x.
void norm_forward(const NormRule& rule, NormDims dims, const ConstElements& x,
                  std::span<const float> gain, const Elements& y, std::span<float> statistics,
                  Team* team = nullptr);

/// sum = x + update, rounded where sum is narrow, and norm_forward of sum, in one pass. x and sum
/// are of one type, and sum may be x.
void norm_forward_of_sum(const NormRule& rule, NormDims dims, const ConstElements& x,
                         std::span<const float> update, const Elements& sum,
                         std::span<const float> gain, const Elements& y,
                         std::span<float> statistics, Team* team = nullptr);

/// The gradient of a norm's gain: values of [dim], and gain_scratch_numel of scratch.
using GainGradient = ColumnSums;

/// The floats that norm_backward needs for the sums over parts of the rows.
[[nodiscard]] inline std::size_t gain_scratch_numel(NormDims dims) {
  return column_sums_numel(dims.rows, dims.dim);
}

/// Gradients of norm_forward. dx: [rows, dim], stored as `store_dx` says and may alias dy when
/// overwritten. dgain is summed in row order within parts of the rows, then over the parts in their
/// order; the number of parts depends on `rows` alone. `rounded_dx`, unless empty, receives dx once
/// more, rounded to its type. Throws an internal Error if dgain.scratch is too small.
void norm_backward(const NormRule& rule, NormDims dims, const ConstElements& x,
                   std::span<const float> gain, std::span<const float> statistics,
                   std::span<const float> dy, std::span<float> dx, Store store_dx,
                   const GainGradient& dgain, const Elements& rounded_dx = {},
                   Team* team = nullptr);

}  // namespace ballast::kernels
