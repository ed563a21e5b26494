#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "model/sublayer_spec.hpp"

namespace ballast::model {

/// What of a block's activations is not kept from forward to backward, but computed again there.
class Recompute {
 public:
  [[nodiscard]] static constexpr Recompute none() { return {Extent::none, {}}; }
  /// Everything but the block's input (Chen et al. 2016).
  [[nodiscard]] static constexpr Recompute full() { return {Extent::full, {}}; }
  /// What a sublayer of this kind keeps; attention alone is what Korthikanti et al. 2022 call
  /// selective.
  [[nodiscard]] static constexpr Recompute of(SublayerKind kind) {
    return {Extent::sublayer, kind};
  }

  [[nodiscard]] constexpr bool is_none() const { return extent_ == Extent::none; }
  [[nodiscard]] constexpr bool is_full() const { return extent_ == Extent::full; }
  /// Whether what a sublayer of this kind keeps is dropped.
  [[nodiscard]] constexpr bool drops(SublayerKind kind) const {
    return is_full() || (extent_ == Extent::sublayer && sublayer_ == kind);
  }
  /// Of one that is neither none nor full.
  [[nodiscard]] constexpr SublayerKind sublayer() const { return sublayer_; }

  friend bool operator==(const Recompute&, const Recompute&) = default;

 private:
  enum class Extent { none, full, sublayer };
  constexpr Recompute(Extent extent, SublayerKind sublayer)
      : extent_{extent}, sublayer_{sublayer} {}

  Extent extent_;
  SublayerKind sublayer_;
};

/// Which blocks recompute what. The bits of a training are the same under every policy.
class RecomputePolicy {
 public:
  /// Nothing is recomputed.
  RecomputePolicy() = default;

  [[nodiscard]] static RecomputePolicy none() { return {}; }
  [[nodiscard]] static RecomputePolicy full() { return {Recompute::full(), 1}; }
  /// Blocks 0, n, 2n, ... recompute `what`, the others nothing. Throws a usage Error for n = 0.
  [[nodiscard]] static RecomputePolicy every(std::size_t n, Recompute what = Recompute::full());
  [[nodiscard]] static RecomputePolicy selective(SublayerKind kind) {
    return {Recompute::of(kind), 1};
  }

  /// Reads what `name` writes; "selective" alone is attention, as Korthikanti et al. mean it.
  /// Throws a usage Error that names parallel.recompute for anything else.
  [[nodiscard]] static RecomputePolicy parse(std::string_view text);

  [[nodiscard]] Recompute of(std::size_t layer) const {
    return layer % stride_ == 0 ? what_ : Recompute::none();
  }
  /// What the blocks that recompute do recompute.
  [[nodiscard]] Recompute what() const { return what_; }
  /// "none", "full", "every:2", "selective:attention", "selective:feed_forward" or, of some blocks,
  /// "every:2:attention", "every:2:feed_forward".
  [[nodiscard]] std::string name() const;

  friend bool operator==(const RecomputePolicy&, const RecomputePolicy&) = default;

 private:
  RecomputePolicy(Recompute what, std::size_t stride) : what_{what}, stride_{stride} {}

  Recompute what_ = Recompute::none();
  std::size_t stride_ = 1;
};

}  // namespace ballast::model
