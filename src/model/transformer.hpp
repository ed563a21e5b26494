#pragma once

#include <optional>
#include <span>
#include <vector>

#include "kernels/gemm.hpp"
#include "kernels/rope.hpp"
#include "model/batch.hpp"
#include "model/block.hpp"
#include "model/loss_head.hpp"
#include "model/nonfinite.hpp"
#include "model/observer.hpp"
#include "model/parameter_source.hpp"
#include "model/precision.hpp"
#include "model/recompute.hpp"
#include "tensor/arena.hpp"

namespace ballast::model {

enum class Mode { training, evaluation };

/// How a model works, whatever it computes.
struct TransformerOptions {
  Mode mode = Mode::training;
  Precision precision;
  RecomputePolicy recompute;
  Grouping grouping;  ///< as it stands: one unit a block
};

/// A Llama-style language model for batches of one shape: forward beside backward, no tape. It owns
/// no parameters (a ParameterSource has them) and no memory (it reserves what it needs in an arena
/// that is committed afterwards), and it visits units in the order of its step program.
class Transformer {
 public:
  /// `gemm` and `arena` must outlive the model.
  Transformer(const ModelConfig& config, BatchShape shape, const TransformerOptions& options,
              const kernels::Gemm& gemm, Arena& arena);

  [[nodiscard]] const ParameterTable& table() const { return table_; }
  [[nodiscard]] BatchShape shape() const { return shape_; }

  /// Watches the blocks from now on; `observer` must outlive the model. Null: nobody watches.
  void observe(BlockObserver* observer) { observer_ = observer; }

  /// One micro-batch: the loss, and every unit's gradient of gradient_scale · Σ weight · nll, left
  /// where the source says.
  LossSums forward_backward(const Batch& batch, ParameterSource& source, float gradient_scale);

  /// One micro-batch without gradients; `nll` receives each token's loss: [tokens].
  LossSums forward(const Batch& batch, ParameterSource& source, std::span<float> nll);

  /// After a forward_backward that went wrong: where its forward first left the finite numbers, or
  /// nothing if it did not (then a gradient overflowed). Slow; reads every residual stream.
  [[nodiscard]] std::optional<NonFinite> find_nonfinite() const;

 private:
  void reserve(Arena& arena, Mode mode);
  [[nodiscard]] BlockActivations activations(std::size_t layer) const;
  [[nodiscard]] BlockScratch scratch() const;
  [[nodiscard]] std::span<float> residual(std::size_t depth) const;
  [[nodiscard]] bool has_final_norm() const { return config_.norm_placement == NormPlacement::pre; }

  void check(const Batch& batch) const;
  void embed(const Batch& batch, ParameterSource& source);
  void forward_blocks(const Batch& batch, ParameterSource& source);
  [[nodiscard]] std::span<const float> final_hidden(const RootTensors<const float>& root) const;
  LossSums loss_and_gradient(const Batch& batch, ParameterSource& source, float gradient_scale);
  void backward_blocks(const Batch& batch, ParameterSource& source);
  void embed_backward(const Batch& batch, ParameterSource& source);

  ModelConfig config_;
  BatchShape shape_;
  ParameterTable table_;
  kernels::RopeTable rope_;
  Block block_;
  const Arena* arena_;
  LossHead loss_head_;
  BlockObserver* observer_ = nullptr;

  using Slot = Arena::Slot<float>;
  struct BlockSlots {
    Slot attention_input, attention_statistics, q_raw, k_raw, q_statistics, k_statistics, q, k, v,
        log_sum_exp, attended, attention_sum, mid, ffn_input, ffn_statistics, gate, up, ffn_sum;
  };
  [[nodiscard]] BlockSlots reserve_block(Arena& arena) const;

  std::vector<Slot> residuals_;     ///< [layers + 1] in training, two in turn in evaluation
  std::vector<BlockSlots> blocks_;  ///< [layers] in training, one for all in evaluation
  Slot activated_{}, wide_{}, sublayer_{}, dq_{}, dk_{}, dv_{}, attention_scratch_{};
  Slot hidden_{}, hidden_statistics_{}, gradient_{};
};

}  // namespace ballast::model
