#pragma once

#include <cstddef>
#include <span>

namespace ballast::model {

/// What a block shows of its attention.
struct AttentionSignals {
  float largest_logit;                 ///< over all visible pairs, after scaling
  std::span<const float> log_sum_exp;  ///< [heads, tokens]
};

/// Reads the residual stream as it passes, and may add a gradient to it on the way back. A model
/// without observers does nothing for them.
class BlockObserver {
 public:
  virtual ~BlockObserver() = default;

  /// The residual stream that enters block 0: [tokens, dim].
  virtual void before_blocks(std::span<const float> residual) = 0;
  /// The residual stream that leaves block `layer`: [tokens, dim].
  virtual void after_block(std::size_t layer, std::span<const float> residual,
                           const AttentionSignals& attention) = 0;
  /// The loss gradient of the residual stream that leaves block `layer`; may be added to.
  virtual void add_gradient(std::size_t layer, std::span<float> gradient) = 0;
};

}  // namespace ballast::model
