#include <algorithm>

#include "kernels/attention.hpp"
#include "kernels/attention_tile.hpp"
#include "kernels/exp.hpp"
#include "kernels/isa.hpp"
#include "kernels/lanes.hpp"

namespace ballast::kernels {

namespace {

/// The rows of one head in a tile: out and dout are [rows, head_dim] with `stride`.
struct HeadRows {
  const float* out;
  const float* dout;
  const float* log_sum_exp;
  std::size_t head_dim;
  std::size_t stride;
  float scale;
};

/// [rows, keys]: logits become probabilities p, and their gradients dp become those of the unscaled
/// products q kᵀ: p (dp − Σ out dout) scale. Both are 0 where a row does not see a key.
BALLAST_KERNEL void backward_softmax(const AttentionTile& tile, const HeadRows& head, float* logits,
                                     float* gradients) {
  for (std::size_t r = 0; r < tile.rows; ++r) {
    float* __restrict p = logits + r * tile.stride;
    float* __restrict dp = gradients + r * tile.stride;
    const LogitRange range = mask_row(tile, r, p);
    const float log_sum_exp = head.log_sum_exp[r];
    const float scale = head.scale;
    const float dot =
        lane_dot(head.out + r * head.stride, head.dout + r * head.stride, head.head_dim);
    // What lies past the last key was never written.
    for (std::size_t j = tile.keys; j < range.end; ++j) dp[j] = 0.0f;
    for (std::size_t j = 0; j < range.begin; ++j) dp[j] = 0.0f;
    for (std::size_t j = range.begin; j < range.end; ++j) {
      const float probability = exp_lane(p[j] - log_sum_exp);
      p[j] = probability;
      dp[j] = probability * (dp[j] - dot) * scale;
    }
    for (std::size_t j = range.end; j < tile.keys; ++j) dp[j] = 0.0f;
  }
}

/// The arguments of attention_backward, to pass on.
struct Backward {
  const Gemm& gemm;
  const AttentionDims& dims;
  std::span<const float> q;
  std::span<const float> k;
  std::span<const float> v;
  std::span<const float> out;
  std::span<const float> log_sum_exp;
  std::span<const float> dout;
  std::span<float> dq;
  std::span<float> dk;
  std::span<float> dv;
  std::span<float> scratch;
};

void backward_tile(const Backward& b, const AttentionTile& tile, std::size_t head) {
  const AttentionDims& d = b.dims;
  const std::size_t kv_head = head / (d.heads / d.kv_heads);
  const auto queries = [&](auto x) {
    return head_view(x, tile.query, tile.rows, head, d.heads, d.head_dim);
  };
  const auto keys = [&](auto x) {
    return head_view(x, tile.key, tile.keys, kv_head, d.kv_heads, d.head_dim);
  };
  float* const logits = b.scratch.data();
  float* const gradients = logits + tile.rows * tile.stride;
  const auto written = [&](float* x) {
    return MatrixView<float>{x, tile.rows, tile.keys, tile.stride};
  };
  const auto read = [&](const float* x) {
    return MatrixView<const float>{x, tile.rows, tile.keys, tile.stride};
  };

  b.gemm.multiply(queries(b.q), Transpose::no, keys(b.k), Transpose::yes, written(logits),
                  Store::overwrite, attention_scale(d));
  b.gemm.multiply(queries(b.dout), Transpose::no, keys(b.v), Transpose::yes, written(gradients),
                  Store::overwrite);
  const auto out = queries(b.out);
  backward_softmax(
      tile,
      {out.data, queries(b.dout).data, b.log_sum_exp.data() + head * d.tokens() + tile.query,
       d.head_dim, out.stride, attention_scale(d)},
      logits, gradients);
  b.gemm.multiply(read(logits), Transpose::yes, queries(b.dout), Transpose::no, keys(b.dv),
                  Store::add);
  b.gemm.multiply(read(gradients), Transpose::no, keys(b.k), Transpose::no, queries(b.dq),
                  Store::overwrite);
  b.gemm.multiply(read(gradients), Transpose::yes, queries(b.q), Transpose::no, keys(b.dk),
                  Store::add);
}

}  // namespace

void attention_backward(const Gemm& gemm, const AttentionDims& dims, std::span<const float> q,
                        std::span<const float> k, std::span<const float> v,
                        std::span<const std::int32_t> segments, std::span<const float> out,
                        std::span<const float> log_sum_exp, std::span<const float> dout,
                        std::span<float> dq, std::span<float> dk, std::span<float> dv,
                        std::span<float> scratch) {
  const Backward backward{gemm, dims, q, k, v, out, log_sum_exp, dout, dq, dk, dv, scratch};
  std::ranges::fill(dk, 0.0f);
  std::ranges::fill(dv, 0.0f);
  for (std::size_t sequence = 0; sequence < dims.sequences; ++sequence) {
    for (std::size_t offset = 0; offset < dims.seq_len; offset += kQueryTile) {
      const AttentionTile tile = attention_tile(dims, segments, sequence, offset);
      for (std::size_t head = 0; head < dims.heads; ++head) backward_tile(backward, tile, head);
    }
  }
}

}  // namespace ballast::kernels
