#pragma once

#include <span>
#include <vector>

#include "kernels/attention.hpp"
#include "kernels/gemm.hpp"
#include "kernels/rope.hpp"
#include "model/batch.hpp"
#include "model/config.hpp"
#include "model/unit_views.hpp"
#include "tensor/arena.hpp"

namespace ballast::model {

/// What one block keeps from its forward for its backward. All [tokens, ...]; empty where the
/// configuration has no use for it.
struct BlockActivations {
  std::span<float> attention_input;       ///< [dim] normalised input, pre-normalisation only
  std::span<float> attention_statistics;  ///< [2]
  std::span<float> q_raw;                 ///< [dim] before qk_norm
  std::span<float> k_raw;                 ///< [kv_dim]
  std::span<float> q_statistics;          ///< [heads, 2]
  std::span<float> k_statistics;          ///< [kv_heads, 2]
  std::span<float> q;                     ///< [dim] as attention reads it
  std::span<float> k;                     ///< [kv_dim]
  std::span<float> v;                     ///< [kv_dim]
  std::span<float> log_sum_exp;           ///< [heads, tokens]
  std::span<float> attended;              ///< [dim]
  std::span<float> attention_sum;         ///< [dim] before the norm, post-normalisation only
  std::span<float> mid;                   ///< [dim] residual stream between the sublayers
  std::span<float> ffn_input;             ///< [dim] pre-normalisation only
  std::span<float> ffn_statistics;        ///< [2]
  std::span<float> gate;                  ///< [ffn]
  std::span<float> up;                    ///< [ffn]
  std::span<float> ffn_sum;               ///< [dim] post-normalisation only
};

/// Rooms that all blocks share.
struct BlockScratch {
  std::span<float> activated;  ///< [tokens, ffn]
  std::span<float> wide;       ///< [tokens, ffn]
  std::span<float> sublayer;   ///< [tokens, dim]
  std::span<float> dq;         ///< [tokens, dim]
  std::span<float> dk;         ///< [tokens, kv_dim]
  std::span<float> dv;         ///< [tokens, kv_dim]
  std::span<float> attention;  ///< kernels::attention_scratch_numel
};

/// A transformer block: attention and SwiGLU feed-forward around a residual stream, with
/// normalisation before each sublayer, after it, or not at all. Holds no parameters and no
/// activations, so one Block serves every layer.
class Block {
 public:
  Block(const ModelConfig& config, BatchShape shape, const kernels::Gemm& gemm,
        const kernels::RopeTable& rope);

  [[nodiscard]] BatchShape shape() const { return shape_; }

  /// residual, out: [tokens, dim]. Returns the largest attention logit.
  float forward(const BlockTensors<const float>& weights, const Batch& batch,
                std::span<const float> residual, const BlockActivations& saved,
                const BlockScratch& scratch, std::span<float> out) const;

  /// `gradient`: on entry that of the block's output, on return that of its input. `saved` is what
  /// the forward wrote; some of it is overwritten. Weight gradients are stored as `store` says.
  void backward(const BlockTensors<const float>& weights, const Batch& batch,
                std::span<const float> residual, const BlockActivations& saved,
                const BlockScratch& scratch, std::span<float> gradient,
                const BlockTensors<float>& weight_gradients, kernels::Store store) const;

 private:
  float attention_forward(const BlockTensors<const float>& weights, const Batch& batch,
                          std::span<const float> input, const BlockActivations& saved,
                          const BlockScratch& scratch, std::span<float> out) const;
  void attention_backward(const BlockTensors<const float>& weights, const Batch& batch,
                          std::span<const float> input, const BlockActivations& saved,
                          const BlockScratch& scratch, std::span<const float> dout,
                          std::span<float> dinput, kernels::Store store_dinput,
                          const BlockTensors<float>& gradients, kernels::Store store) const;
  void ffn_forward(const BlockTensors<const float>& weights, std::span<const float> input,
                   const BlockActivations& saved, const BlockScratch& scratch,
                   std::span<float> out) const;
  void ffn_backward(const BlockTensors<const float>& weights, std::span<const float> input,
                    const BlockActivations& saved, const BlockScratch& scratch,
                    std::span<const float> dout, std::span<float> dinput,
                    kernels::Store store_dinput, const BlockTensors<float>& gradients,
                    kernels::Store store) const;

  /// y = x wᵀ. x: [tokens, in]; w: [out, in]; y: [tokens, out].
  void project(std::span<const float> x, std::span<const float> w, std::span<float> y) const;
  /// dx = dy w, and dw = dyᵀ x.
  void project_back(std::span<const float> x, std::span<const float> w, std::span<const float> dy,
                    std::span<float> dx, kernels::Store store_dx, std::span<float> dw,
                    kernels::Store store_dw) const;
  [[nodiscard]] std::span<const std::int32_t> segments_of(const Batch& batch) const;

  ModelConfig config_;
  BatchShape shape_;
  kernels::AttentionDims attention_dims_;
  const kernels::Gemm* gemm_;
  const kernels::RopeTable* rope_;
};

}  // namespace ballast::model
