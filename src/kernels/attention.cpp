#include "kernels/attention.hpp"

#include <algorithm>
#include <array>

#include "kernels/attention_tile.hpp"
#include "kernels/exp.hpp"
#include "kernels/isa.hpp"
#include "kernels/lanes.hpp"
#include "kernels/math.hpp"

namespace ballast::kernels {

namespace {

/// What the softmax of each row of a tile is made of.
struct RowStatistics {
  std::array<float, kQueryTile> max;
  std::array<float, kQueryTile> sum;
};

/// logits: [rows, keys] become exp(logit − max of the row), 0 where the row does not see the key.
BALLAST_KERNEL void exponentiate_tile(const AttentionTile& tile, float* logits,
                                      RowStatistics& statistics) {
  for (std::size_t r = 0; r < tile.rows; ++r) {
    float* row = logits + r * tile.stride;
    const LogitRange range = mask_row(tile, r, row);
    const float max = lane_max(row + range.begin, range.end - range.begin);
    for (std::size_t j = range.begin; j < range.end; ++j) row[j] = exp_lane(row[j] - max);
    statistics.max[r] = max;
    statistics.sum[r] = lane_sum(row + range.begin, range.end - range.begin);
  }
}

/// Divides each row of x: [rows, dim] by its sum.
BALLAST_KERNEL void divide_rows(const float* sum, std::size_t rows, std::size_t dim,
                                std::size_t stride, float* x) {
  for (std::size_t r = 0; r < rows; ++r) {
    float* row = x + r * stride;
    const float inverse = 1.0f / sum[r];
    for (std::size_t i = 0; i < dim; ++i) row[i] *= inverse;
  }
}

/// The arguments of attention_forward, to pass on.
struct Forward {
  const Gemm& gemm;
  const AttentionDims& dims;
  std::span<const float> q;
  std::span<const float> k;
  std::span<const float> v;
  std::span<float> out;
  std::span<float> log_sum_exp;
  float* logits;
};

/// One head of one tile; returns its largest logit.
float forward_tile(const Forward& f, const AttentionTile& tile, std::size_t head) {
  const AttentionDims& d = f.dims;
  const std::size_t kv_head = head / (d.heads / d.kv_heads);
  const auto query = head_view(f.q, tile.query, tile.rows, head, d.heads, d.head_dim);
  const auto key = head_view(f.k, tile.key, tile.keys, kv_head, d.kv_heads, d.head_dim);
  const auto value = head_view(f.v, tile.key, tile.keys, kv_head, d.kv_heads, d.head_dim);
  const auto out = head_view(f.out, tile.query, tile.rows, head, d.heads, d.head_dim);
  const MatrixView<float> logits{f.logits, tile.rows, tile.keys, tile.stride};
  const MatrixView<const float> probabilities{f.logits, tile.rows, tile.keys, tile.stride};

  f.gemm.multiply(query, Transpose::no, key, Transpose::yes, logits, Store::overwrite,
                  attention_scale(d));
  RowStatistics statistics;
  exponentiate_tile(tile, f.logits, statistics);
  f.gemm.multiply(probabilities, Transpose::no, value, Transpose::no, out, Store::overwrite);
  divide_rows(statistics.sum.data(), tile.rows, d.head_dim, out.stride, out.data);

  float* log_sum_exp = f.log_sum_exp.data() + head * d.tokens() + tile.query;
  for (std::size_t r = 0; r < tile.rows; ++r) {
    log_sum_exp[r] = static_cast<float>(static_cast<double>(statistics.max[r]) +
                                        portable_log(static_cast<double>(statistics.sum[r])));
  }
  return lane_max(statistics.max.data(), tile.rows);
}

}  // namespace

float attention_forward(const Gemm& gemm, const AttentionDims& dims, std::span<const float> q,
                        std::span<const float> k, std::span<const float> v,
                        std::span<const std::int32_t> segments, std::span<float> out,
                        std::span<float> log_sum_exp, std::span<float> scratch) {
  const Forward forward{gemm, dims, q, k, v, out, log_sum_exp, scratch.data()};
  float largest = -__builtin_inff();
  for (std::size_t sequence = 0; sequence < dims.sequences; ++sequence) {
    for (std::size_t offset = 0; offset < dims.seq_len; offset += kQueryTile) {
      const AttentionTile tile = attention_tile(dims, segments, sequence, offset);
      for (std::size_t head = 0; head < dims.heads; ++head) {
        largest = std::max(largest, forward_tile(forward, tile, head));
      }
    }
  }
  return largest;
}

}  // namespace ballast::kernels
