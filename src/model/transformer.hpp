#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "kernels/operations/operations.hpp"
#include "model/activations.hpp"
#include "model/batch.hpp"
#include "model/block.hpp"
#include "model/embedding_layer.hpp"
#include "model/linear_observer.hpp"
#include "model/logits_observer.hpp"
#include "model/loss_head.hpp"
#include "model/nonfinite.hpp"
#include "model/observer.hpp"
#include "model/parameter_source.hpp"
#include "model/scratch.hpp"
#include "model/transformer_options.hpp"
#include "tensor/arena.hpp"

namespace ballast::model {

/// A Llama-style language model for batches of one shape: forward beside backward, no tape. It owns
/// no parameters (a ParameterSource has them) and no memory (it reserves what it needs in an arena
/// that is committed afterwards), and it visits units in the order of its step program.
class Transformer {
 public:
  /// `operations` and `arena` must outlive the model.
  Transformer(const ModelConfig& config, BatchShape shape, const TransformerOptions& options,
              const kernels::Operations& operations, Arena& arena);

  [[nodiscard]] const ParameterTable& table() const { return table_; }
  [[nodiscard]] BatchShape shape() const { return shape_; }

  /// Sets the observer of the blocks, which must outlive the model; null: none.
  void observe(BlockObserver* observer) { observer_ = observer; }
  /// The same for the linear layers.
  void observe_linears(LinearObserver* observer) { linear_observer_ = observer; }
  /// The same for the logits of a forward without gradients.
  void observe_logits(LogitsObserver* observer) { logits_observer_ = observer; }

  [[nodiscard]] const Loss& loss() const { return loss_head_.loss(); }

  /// One micro-batch: the loss, and every unit's gradient of gradient_scale · Σ loss, left where
  /// the source says. `teacher`: a second model's output(), where the loss wants one.
  LossSums forward_backward(const Batch& batch, ParameterSource& source, float gradient_scale,
                            const HeadInput* teacher = nullptr);

  /// One micro-batch without gradients; `nll` receives each token's negative log-likelihood:
  /// [tokens].
  LossSums forward(const Batch& batch, ParameterSource& source, std::span<float> nll,
                   const HeadInput* teacher = nullptr);

  /// The output of a model for a batch, before any loss. It keeps the head's unit leased as long as
  /// it lives, and is valid until the model's next batch.
  class Output {
   public:
    /// The final norm's output, or the stream without one, and the head.
    [[nodiscard]] const HeadInput& input() const { return input_; }

   private:
    friend class Transformer;
    Output(const Transformer& model, ParameterSource& source);

    UnitLeases leases_;
    HeadWeights weights_;
    HeadInput input_;
  };

  /// One micro-batch up to the head: what a student gets from a teacher.
  [[nodiscard]] Output output(const Batch& batch, ParameterSource& source);

  /// After a forward_backward that was not finite: the place of its forward's first non-finite
  /// value, or nothing if the forward was finite (then a gradient overflowed). Slow; reads every
  /// residual stream.
  [[nodiscard]] std::optional<NonFinite> find_nonfinite() const;

  /// By unit: the bytes of the arena that hold nothing from the moment the unit's gradient is
  /// complete until the next forward.
  [[nodiscard]] std::vector<Arena::Extent> idle_after_gradients() const;

 private:
  ScratchRooms reserve_head_and_scratch(const TransformerOptions& options, Arena& arena);
  [[nodiscard]] bool has_final_norm() const { return config_.has_final_norm(); }
  [[nodiscard]] BlockPass pass(std::size_t layer, const UnitLeases& leases,
                               const Batch& batch) const;
  [[nodiscard]] std::span<const float> shown(std::size_t depth) const;

  void check(const Batch& batch) const;
  void embed(const Batch& batch, ParameterSource& source);
  void forward_blocks(const Batch& batch, ParameterSource& source);
  [[nodiscard]] ConstElements final_hidden(const HeadWeights& weights) const;
  LossSums loss_and_gradient(const Batch& batch, ParameterSource& source, float gradient_scale,
                             const HeadInput* teacher);
  void backward_blocks(const Batch& batch, ParameterSource& source);
  void add_observed_gradient(std::size_t layer);
  void backward_block(std::size_t layer, const Batch& batch, ParameterSource& source);
  void embed_backward(const Batch& batch, ParameterSource& source);
  void complete(Depth depth, ParameterSource& source) const;
  [[nodiscard]] std::size_t first_backward_layer() const;

  ModelConfig config_;
  BatchShape shape_;
  RecomputePolicy recompute_;
  Profile* profile_;
  ElementType compute_;
  const kernels::Operations* operations_;
  ParameterTable table_;
  Depth lowest_trained_;  ///< where a backward ends
  Block block_;
  EmbeddingLayer embedding_;
  const Arena* arena_;
  LossHead loss_head_;
  Activations activations_;
  Arena::ElementSlot hidden_{};  ///< what the head reads, in the compute type
  Arena::Slot<float> hidden_statistics_{};
  Arena::Slot<float> gradient_{};
  ScratchRooms scratch_;  ///< below what reserve_head_and_scratch fills before it
  /// The layer whose activations lie where all layers' are recomputed.
  std::optional<std::size_t> shared_layer_;
  BlockObserver* observer_ = nullptr;
  LinearObserver* linear_observer_ = nullptr;
  LogitsObserver* logits_observer_ = nullptr;
};

}  // namespace ballast::model
