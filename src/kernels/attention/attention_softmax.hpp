#pragma once

#include <cstddef>

#include "kernels/attention/attention_tile.hpp"

// The element-wise part of attention, on tiles in scratch. `scale` times what is given as
// logits are these in units of ln 2, since exponentials are powers of two here.
namespace ballast::kernels {

/// Logits against one more tile of keys: [rows, ..] become probabilities relative to the largest
/// logit so far, 0 for keys that are not seen, up to `cols` columns, which are whole steps of the
/// kernel. Earlier sums, relative to a smaller logit, are rescaled to it.
struct SoftmaxTile {
  float* logits;
  std::size_t stride;
  WeightTile probabilities;
  std::size_t rows;
  std::size_t cols;
  const SeenCols* seen;
  float scale;
  float* max;  ///< [rows], −inf before the first tile
  float* sum;  ///< [rows, kLanes], 0 before the first tile
  float* out;  ///< [rows, head_stride], or null at the first tile
  std::size_t head_stride;
};
void softmax_tile(const SoftmaxTile& tile);

/// Logits and the gradients of probabilities, both [rows of keys, queries], become probabilities
/// and gradients of the scaled products: p (dp − Σ out dout), times the slope of the soft cap.
struct SoftmaxGradientTile {
  float* logits;
  float* dlogits;
  std::size_t stride;
  WeightTile probabilities;
  WeightTile gradients;
  std::size_t rows;
  std::size_t cols;
  const SeenCols* seen;
  float scale;
  const float* log_sum_exp;  ///< [queries], times log2 e
  const float* dot;          ///< [queries]
  float inverse_softcap;     ///< 1 / softcap, or 0 where logits have none
};
void softmax_gradient_tile(const SoftmaxGradientTile& tile);

}  // namespace ballast::kernels
