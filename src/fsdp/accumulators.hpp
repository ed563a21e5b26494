#pragma once

#include <span>
#include <vector>

#include "fsdp/shard_layout.hpp"
#include "tensor/arena.hpp"

namespace ballast::fsdp {

/// A rank's accumulated gradient in fp32, unit by unit: what it holds of each. Reductions fill what
/// it owns; with replicas the rest of what it holds comes from them.
class Accumulators {
 public:
  /// Reserves in `arena`. `loans`, by unit: bytes of it that hold nothing once the unit's gradient
  /// is complete, until all accumulators were read; may be empty. A unit takes what those have lent
  /// that are complete when it is reduced, where that is enough: itself, those before it, and
  /// `units_late` after it.
  Accumulators(const ShardLayout& layout, std::span<const Arena::Extent> loans,
               std::size_t units_late, Arena& arena);

  [[nodiscard]] std::span<float> held(model::UnitId unit) const {
    return arena_->view(slots_.at(unit));
  }
  [[nodiscard]] std::span<float> owned(model::UnitId unit) const {
    return held(unit).subspan(layout_->owned_offset(unit) - layout_->held_offset(unit),
                              layout_->owned(unit).numel());
  }
  /// A segment of what this rank holds, padding included.
  [[nodiscard]] std::span<const float> segment(const ShardSegment& segment) const;

 private:
  const ShardLayout* layout_;
  const Arena* arena_;
  std::vector<Arena::Slot<float>> slots_;  ///< by unit
};

}  // namespace ballast::fsdp
