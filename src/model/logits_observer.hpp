#pragma once

#include <cstddef>
#include <span>

#include "kernels/operations/operations.hpp"

namespace ballast::model {

/// Some neighboring tokens of a batch, and their logits as a forward pass computes them.
struct ShownLogits {
  std::size_t first_token = 0;
  std::size_t vocabulary = 0;
  std::span<const float> logits;  ///< [tokens, vocabulary], until the call returns
};

/// Sees the logits of a forward pass without gradients, chunk after chunk in the order of tokens:
/// those of a whole batch are never in memory at once.
class LogitsObserver {
 public:
  virtual ~LogitsObserver() = default;

  /// Before the loss reads them.
  virtual void after_logits(const ShownLogits& shown, const kernels::Operations& operations) = 0;
};

}  // namespace ballast::model
