#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace ballast::monitor {

/// The residual states of sampled tokens at every depth, and the largest attention logits of all
/// tokens: what one rank brings to a probe. Depth 0 enters block 0, depth l + 1 leaves block l.
class ProbeRows {
 public:
  /// Room for `capacity` tokens at `layers` + 1 depths of `dim` values.
  ProbeRows(std::size_t layers, std::size_t dim, std::size_t capacity);

  /// A probe begins.
  void clear();
  /// Of the micro-batch that now passes, these tokens are kept. They must stay where they are until
  /// its last depth has passed, and fit into what room is left (an internal Error otherwise).
  void select(std::span<const std::uint32_t> tokens);
  /// residual: [tokens of the micro-batch, dim].
  void keep(std::size_t depth, std::span<const float> residual);
  void keep_logit(std::size_t layer, float largest);

  [[nodiscard]] std::size_t layers() const { return logits_.size(); }
  [[nodiscard]] std::size_t dim() const { return dim_; }
  [[nodiscard]] std::size_t capacity() const { return capacity_; }
  [[nodiscard]] std::size_t count() const { return count_; }
  /// The tokens of the micro-batch that `select` named last: the last of the rows.
  [[nodiscard]] std::span<const std::uint32_t> selected() const { return selected_; }
  /// [count, dim].
  [[nodiscard]] std::span<const float> at(std::size_t depth) const {
    return std::span{values_}.subspan(depth * capacity_ * dim_, count_ * dim_);
  }
  /// The largest of each layer, over all micro-batches; −inf where none has passed.
  [[nodiscard]] std::span<const float> logits() const { return logits_; }
  /// The rows of one micro-batch after the other: how many there are up to its end.
  [[nodiscard]] std::span<const std::size_t> micro_batch_ends() const { return ends_; }
  [[nodiscard]] std::size_t bytes() const { return values_.size() * sizeof(float); }

 private:
  std::size_t dim_;
  std::size_t capacity_;
  std::size_t count_ = 0;  ///< rows that are whole or under way
  std::span<const std::uint32_t> selected_;
  std::vector<std::size_t> ends_;
  std::vector<float> values_;  ///< [depth, capacity, dim]
  std::vector<float> logits_;
};

}  // namespace ballast::monitor
