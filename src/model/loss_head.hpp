#pragma once

#include <cstddef>
#include <span>

#include "kernels/operations/operations.hpp"
#include "model/batch.hpp"
#include "model/unit_views.hpp"
#include "tensor/arena.hpp"
#include "tensor/element.hpp"

namespace ballast::model {

/// Tokens whose logits are in memory at once.
[[nodiscard]] std::size_t loss_chunk_tokens(std::size_t tokens, std::size_t vocabulary);

/// Output head and softmax cross-entropy over chunks of tokens: the logits of a whole batch are
/// never in memory at once, and the gradient starts in the same pass. `hidden` and `head` are in
/// the compute type; logits are fp32, their gradient is rounded for the products that read it.
class LossHead {
 public:
  LossHead(const ModelConfig& config, BatchShape shape, ElementType compute,
           const kernels::Operations& operations, Arena& arena);

  /// hidden: [tokens, dim]; dhidden: its gradient, overwritten; dhead is stored as `store` says.
  LossSums forward_backward(const ConstElements& hidden, const ConstElements& head,
                            const Batch& batch, float gradient_scale, std::span<float> dhidden,
                            std::span<float> dhead, kernels::Store store) const;

  /// The loss alone; `nll` receives every token's negative log-likelihood: [tokens].
  LossSums forward(const ConstElements& hidden, const ConstElements& head, const Batch& batch,
                   std::span<float> nll) const;

  /// Whether every loss of the last forward_backward is a finite number.
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
  [[nodiscard]] kernels::Operand rows_of(const ConstElements& hidden, Chunk chunk) const;
  std::span<float> logits_of(Chunk chunk, const ConstElements& hidden,
                             const ConstElements& head) const;

  std::size_t dim_;
  std::size_t vocabulary_;
  std::size_t tokens_;
  std::size_t chunk_;
  const kernels::Operations* operations_;
  const Arena* arena_;
  Arena::Slot<float> nll_;
  Arena::Slot<float> log_z_;
  Arena::Slot<float> logits_{};
  Arena::ElementSlot dlogits_{};  ///< a chunk's, rounded, where compute is not fp32
  Arena::Extent logits_extent_{};
};

}  // namespace ballast::model
