#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/profile.hpp"
#include "kernels/attention.hpp"
#include "kernels/gemm.hpp"
#include "kernels/rope.hpp"
#include "model/activations.hpp"
#include "model/batch.hpp"
#include "model/config.hpp"
#include "model/scratch.hpp"
#include "model/unit_views.hpp"

namespace ballast::model {

/// What one layer works with, forward and backward.
struct BlockPass {
  BlockWeights weights;
  const Batch& batch;
  Kept residual;           ///< [tokens, dim], the stream that enters
  BlockActivations saved;  ///< written by the forward, read and partly overwritten by the backward
  BlockScratch scratch;
};

/// A transformer block: attention and SwiGLU feed-forward around a residual stream, with
/// normalisation before each sublayer, after it, or not at all. Holds no parameters and no
/// activations, so one Block serves every layer.
class Block {
 public:
  Block(const ModelConfig& config, BatchShape shape, const kernels::Gemm& gemm,
        const kernels::RopeTable& rope, Profile* profile);

  [[nodiscard]] BatchShape shape() const { return shape_; }

  /// out: [tokens, dim], the stream that leaves. Returns the largest attention logit.
  float forward(const BlockPass& pass, const Kept& out) const;

  /// Writes again, bit for bit, what the forward wrote of `what`, and nothing that the backward has
  /// no use for. `out` receives what it received then, where that comes along.
  void recompute(Recompute what, const BlockPass& pass, const Kept& out) const;

  /// `gradient`: on entry that of the block's output, on return that of its input: [tokens, dim].
  /// Weight gradients are stored as `store` says.
  void backward(const BlockPass& pass, std::span<float> gradient, const BlockGradients& gradients,
                kernels::Store store) const;

 private:
  /// One sublayer's place on the stream.
  struct Sublayer {
    Kept stream;  ///< as it enters
    Kept input;   ///< normalised, pre-normalisation only
    Kept sum;     ///< stream plus sublayer, post-normalisation only
    Kept statistics;
    ConstElements gain;
  };
  [[nodiscard]] static Sublayer attention_of(const BlockPass& pass);
  [[nodiscard]] static Sublayer feed_forward_of(const BlockPass& pass);

  /// Queries, or keys: the tensors that lead to them.
  struct Heads {
    std::size_t count;
    ConstElements weight;
    ConstElements gain;
    Kept raw;
    Kept statistics;
    Kept turned;
  };
  [[nodiscard]] Heads queries_of(const BlockPass& pass) const;
  [[nodiscard]] Heads keys_of(const BlockPass& pass) const;

  // block.cpp: around the sublayers.
  void enter(const Sublayer& sublayer, const BlockScratch& scratch) const;
  void leave(const Sublayer& sublayer, const BlockScratch& scratch, const Kept& out) const;
  [[nodiscard]] ConstElements input_of(const Sublayer& sublayer, const BlockScratch& scratch) const;
  void leave_backward(const Sublayer& sublayer, const BlockScratch& scratch,
                      std::span<float> gradient, std::span<float> dgain,
                      kernels::Store store) const;
  void enter_backward(const Sublayer& sublayer, const BlockScratch& scratch,
                      std::span<float> gradient, std::span<float> dgain,
                      kernels::Store store) const;

  // block_attention.cpp
  float attend(const BlockPass& pass) const;
  float attention_forward(const BlockPass& pass) const;
  void attention_backward(const BlockPass& pass, std::span<float> gradient,
                          const BlockGradients& gradients, kernels::Store store) const;
  [[nodiscard]] std::span<const float> heads_forward(const Heads& heads, const BlockPass& pass,
                                                     const ConstElements& input,
                                                     std::span<float> room) const;
  [[nodiscard]] ConstElements heads_backward(const Heads& heads, const BlockPass& pass,
                                             std::span<float> room, std::span<float> gradient,
                                             std::span<float> dgain, kernels::Store store) const;

  // block_feed_forward.cpp
  void expand(const BlockPass& pass) const;
  void contract(const BlockPass& pass, const Kept& out) const;
  void feed_forward_backward(const BlockPass& pass, std::span<float> gradient,
                             const BlockGradients& gradients, kernels::Store store) const;

  /// What attention's forward has to do; its backward does twice the arithmetic.
  [[nodiscard]] Work attention_work(const BlockActivations& saved) const;

  /// y = x wᵀ. x: [tokens, in]; w: [out, in]; y: [tokens, out].
  void project(const ConstElements& x, const ConstElements& w, std::span<float> y) const;
  /// dx = dy w, and dw = dyᵀ x.
  void project_back(const ConstElements& x, const ConstElements& w, const ConstElements& dy,
                    std::span<float> dx, kernels::Store store_dx, std::span<float> dw,
                    kernels::Store store_dw) const;
  [[nodiscard]] bool is_pre() const { return config_.norm_placement == NormPlacement::pre; }
  [[nodiscard]] bool is_post() const { return config_.norm_placement == NormPlacement::post; }
  /// Where the gradient of a sublayer's input goes: with a norm in front it passes through that on
  /// its way to the stream, without one it joins the stream as it is.
  [[nodiscard]] std::span<float> input_gradient(const BlockScratch& scratch,
                                                std::span<float> gradient) const {
    return is_pre() ? scratch.sublayer : gradient;
  }
  [[nodiscard]] kernels::Store input_store() const {
    return is_pre() ? kernels::Store::overwrite : kernels::Store::add;
  }

  ModelConfig config_;
  BatchShape shape_;
  kernels::AttentionDims attention_dims_;
  const kernels::Gemm* gemm_;
  const kernels::RopeTable* rope_;
  Profile* profile_;
};

}  // namespace ballast::model
