#pragma once

#include <cstddef>
#include <span>

#include "base/team.hpp"
#include "kernels/column_sums.hpp"
#include "tensor/element.hpp"

namespace ballast::kernels {

/// x += bias in every row, rounded where x is narrow. x: [rows, width] of any type; bias: [width].
void add_bias(std::size_t rows, std::size_t width, std::span<const float> bias, const Elements& x,
              Team* team = nullptr);

/// The gradient of add_bias's bias: Σ dy over the rows, in row order within parts of the rows, then
/// over the parts in their order; the number of parts depends on `rows` alone. dy: [rows, width] of
/// any type. Throws an internal Error if dbias.scratch is smaller than column_sums_numel.
void bias_gradient(std::size_t rows, std::size_t width, const ConstElements& dy,
                   const ColumnSums& dbias, Team* team = nullptr);

}  // namespace ballast::kernels
