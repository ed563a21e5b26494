#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "kernels/operations/operations.hpp"
#include "model/batch.hpp"
#include "model/logits_observer.hpp"
#include "model/loss.hpp"
#include "model/model_config.hpp"
#include "model/transformer_options.hpp"
#include "tensor/arena.hpp"
#include "tensor/element.hpp"

namespace ballast::model {

/// Tokens whose logits are in memory at once.
[[nodiscard]] std::size_t loss_chunk_tokens(std::size_t tokens, std::size_t vocabulary);

/// What logits are made of: hidden · headᵀ. Of any element type that products take.
struct HeadInput {
  ConstElements hidden;  ///< [tokens, dim]
  ConstElements head;    ///< [vocabulary, dim]
  std::size_t dim = 0;
  float softcap = 0.0f;  ///< logits stay within ± this; 0: as they are
};

/// Where the gradient of a HeadInput goes.
struct HeadGradient {
  std::span<float> hidden;  ///< [tokens, dim], overwritten
  std::span<float> head;    ///< [vocabulary, dim], stored as `store` says; empty: it does not train
  kernels::Store store;
};

/// Output head and loss over chunks of tokens: the logits of a whole batch are never in memory at
/// once, and the gradient starts in the same pass. Logits are fp32, their gradient is rounded to
/// the compute type for the products that read it. What the loss is, it does not know.
class LossHead {
 public:
  /// An evaluation reserves no room for gradients. `operations` and `arena` must outlive the head.
  LossHead(const ModelConfig& config, BatchShape shape, const TransformerOptions& options,
           const kernels::Operations& operations, Arena& arena);

  /// The loss, and its gradient for `input`. `teacher`: a second model's output for the same
  /// tokens, where the loss wants one, of the same vocabulary and any width. For training only.
  LossSums forward_backward(const HeadInput& input, const Batch& batch, float gradient_scale,
                            const HeadGradient& gradient, const HeadInput* teacher = nullptr) const;

  /// The loss alone; `nll` receives every token's negative log-likelihood: [tokens]. `observer`,
  /// which may be null, sees the logits.
  LossSums forward(const HeadInput& input, const Batch& batch, std::span<float> nll,
                   const HeadInput* teacher = nullptr, LogitsObserver* observer = nullptr) const;

  [[nodiscard]] const Loss& loss() const { return *loss_; }

  /// Whether every likelihood of the last forward_backward is a finite number.
  [[nodiscard]] bool losses_are_finite() const;

  /// The bytes that hold a chunk's logits and their gradient: nothing but while a loss is computed.
  [[nodiscard]] Arena::Extent logits_extent() const { return logits_extent_; }

 private:
  struct Chunk {
    std::size_t first;
    std::size_t tokens;
  };
  template <class Visit>
  void for_each_chunk(Visit&& visit) const;
  void require_teacher(const HeadInput* teacher) const;
  [[nodiscard]] static kernels::Operand rows_of(const HeadInput& input, Chunk chunk);
  [[nodiscard]] kernels::Operand head_of(const HeadInput& input) const;
  [[nodiscard]] std::span<float> logits_of(Chunk chunk, const HeadInput& input,
                                           Arena::Slot<float> room) const;
  [[nodiscard]] LossChunk prepare(Chunk chunk, const HeadInput& input, const Batch& batch,
                                  std::span<float> nll, const HeadInput* teacher) const;

  std::size_t vocabulary_;
  std::size_t tokens_;
  std::size_t chunk_;
  std::shared_ptr<const Loss> loss_;
  const kernels::Operations* operations_;
  const Arena* arena_;
  Arena::Slot<float> nll_{};  ///< of a training
  Arena::Slot<float> logits_{};
  Arena::Slot<float> capped_{};  ///< a chunk's logits, which the backward of a soft cap reads
  Arena::Slot<float> teacher_{};
  Arena::Slot<float> scratch_{};
  Arena::ElementSlot dlogits_{};  ///< a chunk's, rounded, where a training's compute is not fp32
  Arena::Extent logits_extent_{};
};

}  // namespace ballast::model
