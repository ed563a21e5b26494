#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "kernels/operations/operations.hpp"
#include "model/activations.hpp"
#include "model/batch.hpp"
#include "model/model_config.hpp"
#include "model/recompute.hpp"
#include "model/sublayer.hpp"
#include "model/unit_views.hpp"

namespace ballast::model {

/// Rooms that all blocks share; what only a backward writes to is empty in evaluation.
struct BlockScratch {
  Elements operand;            ///< [tokens, widest operand] of a product, compute type
  std::span<float> sublayer;   ///< [tokens, dim] a sublayer's result, or its input's gradient
  std::span<float> gain_sums;  ///< kernels::gain_scratch_numel of any norm, backward
  std::span<float> branches;   ///< [tokens, dim] gradients of parallel sublayers' inputs, backward

  // Empty where compute is in fp32, which needs no copies.
  std::span<float> gain;       ///< [dim] of a norm
  Elements gradient_operand;   ///< [tokens, dim] the stream's gradient, rounded, backward
  Elements sublayer_gradient;  ///< the same memory, as wide as a sublayer needs for its own

  /// What sublayers ask for besides, in the order of their lists.
  std::array<std::array<Elements, kMostRooms>, kMostSublayers> rooms{};
};

/// What one layer works with, forward and backward.
struct BlockPass {
  std::size_t layer;
  BlockWeights weights;
  const Batch& batch;
  Elements residual;       ///< [tokens, dim], the stream that enters
  BlockActivations saved;  ///< written by the forward, read and partly overwritten by the backward
  BlockScratch scratch;
  LinearObserver* linears = nullptr;  ///< of a forward; may be null
};

/// A transformer block: sublayers around a residual stream, with normalization as NormPlacement
/// says. Holds no parameters and no activations, so one Block serves every
/// layer.
class Block {
 public:
  /// `operations` must outlive the block.
  Block(const ModelConfig& config, BatchShape shape, ElementType compute,
        const kernels::Operations& operations);

  [[nodiscard]] BatchShape shape() const { return shape_; }
  [[nodiscard]] std::size_t dim() const { return config_.dim; }
  /// Whether its sublayers all read its input.
  [[nodiscard]] bool is_parallel() const { return config_.parallel_sublayers; }
  [[nodiscard]] std::span<const std::unique_ptr<Sublayer>> sublayers() const { return sublayers_; }

  /// out: [tokens, dim], the stream that leaves. Returns the signals of attention.
  AttentionSignals forward(const BlockPass& pass, const Elements& out) const;

  /// Recomputes, bit for bit, what the forward kept and `what` drops, except what the backward does
  /// not read. `out` receives what it received then, where that comes along.
  void recompute(Recompute what, const BlockPass& pass, const Elements& out) const;

  /// `gradient`: on entry that of the block's output, on return that of its input: [tokens, dim].
  /// Where norms come first and compute is narrow, it also lies in scratch.gradient_operand,
  /// rounded, both times. Weight gradients are stored as `store` says.
  void backward(const BlockPass& pass, std::span<float> gradient, const BlockGradients& gradients,
                kernels::Store store) const;

 private:
  /// One sublayer's place on the stream.
  struct Place {
    const Sublayer* sublayer;
    Elements stream;  ///< as it enters
    Elements input;   ///< normalized, in scratch.operand; with a norm before the sublayer only
    Elements result;  ///< the sublayer's, before its norm; with one of it only
    Elements output_statistics;
    ConstElements output_gain;
    Elements sum;  ///< stream plus sublayer, post-normalization only
    Elements statistics;
    ConstElements gain;
    Elements rounded;  ///< the gradient of the stream
    SublayerPass pass;
  };
  [[nodiscard]] Place place_of(std::size_t index, const BlockPass& pass) const;

  AttentionSignals run(const BlockPass& pass, const Elements& out, bool wants_out) const;
  void enter(const Place& place) const;
  void add_up(std::size_t index, const Place& place, std::span<const float> result,
              const Elements& out) const;
  void normalize_result(const Place& place, std::span<float> result) const;
  void leave(const Place& place, std::span<const float> result, const Elements& out) const;
  void pass_on(const Place& place, std::span<const float> result, const Place& next) const;
  [[nodiscard]] ConstElements input_of(const Place& place) const;
  [[nodiscard]] ConstElements input_again(const Place& place) const;
  void backward_in_turn(std::size_t index, const BlockPass& pass, std::span<float> gradient,
                        const InputGradient& stream, const BlockGradients& gradients,
                        kernels::Store store) const;
  void sublayer_backward(const Place& place, std::span<float> result,
                         std::span<const float> gradient, const InputGradient& stream,
                         const TensorGradients& gradients) const;
  void leave_backward(const Place& place, std::span<float> result, std::span<float> gradient,
                      const kernels::GainGradient& dgain,
                      const kernels::GainGradient& doutput_gain) const;
  void enter_backward(const Place& place, std::span<const float> result,
                      const InputGradient& stream, const kernels::GainGradient& dgain) const;

  [[nodiscard]] kernels::NormDims norm_dims() const { return {shape_.tokens(), config_.dim}; }
  [[nodiscard]] std::span<const float> gain_of(const Place& place) const {
    return operations_->widened(place.gain, place.pass.gain);
  }
  [[nodiscard]] bool is_pre() const { return config_.has_input_norms(); }
  [[nodiscard]] bool is_post() const { return config_.has_stream_norms(); }
  /// Whether the backward reads what a sublayer's forward gives.
  [[nodiscard]] bool needs_results() const { return is_post() || config_.has_output_norms(); }

  ModelConfig config_;
  BatchShape shape_;
  const kernels::Operations* operations_;
  std::vector<std::unique_ptr<Sublayer>> sublayers_;
};

}  // namespace ballast::model
