#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "base/profile.hpp"
#include "base/team.hpp"
#include "kernels/attention/attention.hpp"
#include "kernels/gemm/gemm.hpp"
#include "kernels/norm.hpp"
#include "kernels/panel/panel_kernel.hpp"
#include "kernels/rope.hpp"
#include "model/activations.hpp"
#include "model/batch.hpp"
#include "model/model_config.hpp"
#include "model/scratch.hpp"
#include "model/unit_views.hpp"

namespace ballast::model {

/// What one layer works with, forward and backward.
struct BlockPass {
  BlockWeights weights;
  const Batch& batch;
  Elements residual;       ///< [tokens, dim], the stream that enters
  BlockActivations saved;  ///< written by the forward, read and partly overwritten by the backward
  BlockScratch scratch;
};

/// A transformer block: attention and SwiGLU feed-forward around a residual stream, with
/// normalisation before each sublayer, after it, or not at all. Holds no parameters and no
/// activations, so one Block serves every layer.
class Block {
 public:
  Block(const ModelConfig& config, BatchShape shape, ElementType compute, const kernels::Gemm& gemm,
        const kernels::RopeTable& rope, Profile* profile, Team* team);

  [[nodiscard]] BatchShape shape() const { return shape_; }

  /// out: [tokens, dim], the stream that leaves. Returns the largest attention logit.
  float forward(const BlockPass& pass, const Elements& out) const;

  /// Writes again, bit for bit, what the forward wrote of `what`, and nothing that the backward has
  /// no use for. `out` receives what it received then, where that comes along.
  void recompute(Recompute what, const BlockPass& pass, const Elements& out) const;

  /// `gradient`: on entry that of the block's output, on return that of its input: [tokens, dim].
  /// Where norms come first and compute is narrow, it also lies in scratch.gradient_operand,
  /// rounded, both times. Weight gradients are stored as `store` says.
  void backward(const BlockPass& pass, std::span<float> gradient, const BlockGradients& gradients,
                kernels::Store store) const;

 private:
  /// One sublayer's place on the stream.
  struct Sublayer {
    Elements stream;  ///< as it enters
    Elements input;   ///< normalised, in scratch.operand; pre-normalisation only
    Elements sum;     ///< stream plus sublayer, post-normalisation only
    Elements statistics;
    ConstElements gain;
  };
  [[nodiscard]] Sublayer attention_of(const BlockPass& pass) const;
  [[nodiscard]] Sublayer feed_forward_of(const BlockPass& pass) const;

  /// Queries, or keys: the tensors that lead to them.
  struct Heads {
    std::size_t count;
    ConstElements weight;
    ConstElements gain;
    Elements raw;
    Elements statistics;
    Elements turned;
  };
  [[nodiscard]] Heads queries_of(const BlockPass& pass) const;
  [[nodiscard]] Heads keys_of(const BlockPass& pass) const;

  // block.cpp: around the sublayers.
  void enter(const Sublayer& sublayer, const BlockScratch& scratch) const;
  void leave(const Sublayer& sublayer, const BlockScratch& scratch, const Elements& out) const;
  void pass_on(const Sublayer& sublayer, const Sublayer& next, const BlockScratch& scratch) const;
  [[nodiscard]] ConstElements input_of(const Sublayer& sublayer, const BlockScratch& scratch) const;
  [[nodiscard]] ConstElements input_again(const Sublayer& sublayer,
                                          const BlockScratch& scratch) const;
  void leave_backward(const Sublayer& sublayer, const BlockScratch& scratch,
                      std::span<float> gradient, std::span<float> dgain,
                      kernels::Store store) const;
  void enter_backward(const Sublayer& sublayer, const BlockScratch& scratch,
                      std::span<float> gradient, std::span<float> dgain,
                      kernels::Store store) const;

  // block_attention.cpp
  [[nodiscard]] kernels::AttentionInput attention_input(const BlockPass& pass) const;
  float attend(const BlockPass& pass) const;
  float attention_forward(const BlockPass& pass) const;
  void attention_backward(const BlockPass& pass, std::span<float> gradient,
                          const BlockGradients& gradients, kernels::Store store) const;
  void heads_forward(const Heads& heads, const BlockPass& pass, const ConstElements& input) const;
  [[nodiscard]] ConstElements heads_backward(const Heads& heads, const BlockPass& pass,
                                             std::span<float> gradient, std::span<float> dgain,
                                             kernels::Store store) const;

  // block_feed_forward.cpp
  void expand(const BlockPass& pass) const;
  void contract(const BlockPass& pass, const Elements& out) const;
  void feed_forward_backward(const BlockPass& pass, std::span<float> gradient,
                             const BlockGradients& gradients, kernels::Store store) const;

  /// What attention's forward has to do; its backward does twice the arithmetic.
  [[nodiscard]] Work attention_work(const BlockActivations& saved) const;

  /// y = x wᵀ. x: [tokens, in]; w: [out, in]; y: [tokens, out], fp32 or of the operands' type.
  void project(const ConstElements& x, const ConstElements& w, const Elements& y) const;
  /// dx = dy w, in fp32 or of the operands' type where it is overwritten.
  void project_back(const ConstElements& dy, const ConstElements& w, const Elements& dx,
                    kernels::Store store) const;
  /// dw = dyᵀ x.
  void weight_gradient(const ConstElements& dy, const ConstElements& x, std::span<float> dw,
                       kernels::Store store) const;
  [[nodiscard]] kernels::NormDims norm_dims() const { return {shape_.tokens(), config_.dim}; }
  /// Where a sublayer's normalised input lies until another operand takes its place.
  [[nodiscard]] Elements input_room(const BlockScratch& scratch) const {
    return is_pre() ? scratch.operand.first(shape_.tokens() * config_.dim) : Elements{};
  }
  [[nodiscard]] bool is_pre() const { return config_.norm_placement == NormPlacement::pre; }
  [[nodiscard]] bool is_post() const { return config_.norm_placement == NormPlacement::post; }
  /// The gradient of the stream as a sublayer's products read it.
  [[nodiscard]] static ConstElements operand_of(std::span<float> gradient,
                                                const BlockScratch& scratch) {
    return scratch.gradient_operand.empty() ? ConstElements{gradient} : scratch.gradient_operand;
  }
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
  std::unique_ptr<kernels::PanelKernel> attention_kernel_;
  const kernels::Gemm* gemm_;
  const kernels::RopeTable* rope_;
  Profile* profile_;
  Team* team_;
};

}  // namespace ballast::model
