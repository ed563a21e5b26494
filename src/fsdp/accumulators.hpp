#pragma once

#include <span>
#include <vector>

#include "fsdp/shard_layout.hpp"
#include "tensor/arena.hpp"

namespace ballast::fsdp {

/// A rank's accumulated gradient in fp32, unit by unit, of what it holds. Reductions fill the part
/// that it owns; with replicas the other parts come from those.
class Accumulators {
 public:
  /// Reserves in `arena`. `reusable`, by unit: bytes of the arena that are unused from when the
  /// unit's gradient is complete until all accumulators were read; may be empty. The accumulator of
  /// a unit takes bytes of units whose gradients are complete when it is reduced, if these are
  /// enough: of itself, of those before it, and of `units_late` after it.
  /// `keeps_open`: with room for the sums of groups of leaves that go on in the next wave.
  Accumulators(const ShardLayout& layout, std::span<const Arena::Extent> reusable,
               std::size_t units_late, bool keeps_open, Arena& arena);

  [[nodiscard]] std::span<float> held(model::UnitId unit) const {
    return arena_->view(slots_.at(unit));
  }
  [[nodiscard]] std::span<float> owned(model::UnitId unit) const {
    return held(unit).subspan(layout_->owned_offset(unit) - layout_->held_offset(unit),
                              layout_->owned(unit).numel());
  }
  /// The sum of a group of leaves that goes on in the next wave, of what this rank owns; empty
  /// where none does.
  [[nodiscard]] std::span<float> open(model::UnitId unit) const {
    return open_.empty() ? std::span<float>{} : arena_->view(open_.at(unit));
  }
  /// A segment of what this rank holds, padding included.
  [[nodiscard]] std::span<const float> segment(const ShardSegment& segment) const;

 private:
  const ShardLayout* layout_;
  const Arena* arena_;
  std::vector<Arena::Slot<float>> slots_;  ///< by unit
  std::vector<Arena::Slot<float>> open_;   ///< by unit, or none
};

}  // namespace ballast::fsdp
