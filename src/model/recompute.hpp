#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace ballast::model {

/// What of a block's activations is not kept from forward to backward, but computed again there.
enum class Recompute {
  none,
  full,       ///< everything but the block's input (Chen et al. 2016)
  attention,  ///< queries, keys, values and what attention makes of them (Korthikanti et al. 2022)
  feed_forward,  ///< its gate and its up projection
};

/// Which blocks recompute what. The bits of a training are the same under every policy.
class RecomputePolicy {
 public:
  /// Nothing is recomputed.
  RecomputePolicy() = default;

  [[nodiscard]] static RecomputePolicy none() { return {}; }
  [[nodiscard]] static RecomputePolicy full() { return {Recompute::full, 1}; }
  /// Blocks 0, n, 2n, ... recompute `what`, the others nothing. Throws a usage Error for n = 0.
  [[nodiscard]] static RecomputePolicy every(std::size_t n, Recompute what = Recompute::full);
  [[nodiscard]] static RecomputePolicy attention() { return {Recompute::attention, 1}; }
  [[nodiscard]] static RecomputePolicy feed_forward() { return {Recompute::feed_forward, 1}; }

  /// Reads what `name` writes; "selective" alone is attention, as Korthikanti et al. mean it.
  /// Throws a usage Error that names parallel.recompute for anything else.
  [[nodiscard]] static RecomputePolicy parse(std::string_view text);

  [[nodiscard]] Recompute of(std::size_t layer) const {
    return layer % stride_ == 0 ? what_ : Recompute::none;
  }
  /// What the blocks that recompute do recompute.
  [[nodiscard]] Recompute what() const { return what_; }
  /// "none", "full", "every:2", "selective:attention", "selective:feed_forward" or, of some blocks,
  /// "every:2:attention", "every:2:feed_forward".
  [[nodiscard]] std::string name() const;

  friend bool operator==(const RecomputePolicy&, const RecomputePolicy&) = default;

 private:
  RecomputePolicy(Recompute what, std::size_t stride) : what_{what}, stride_{stride} {}

  Recompute what_ = Recompute::none;
  std::size_t stride_ = 1;
};

}  // namespace ballast::model
