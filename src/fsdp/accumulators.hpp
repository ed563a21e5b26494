#pragma once

#include <span>

#include "fsdp/shard_layout.hpp"
#include "tensor/arena.hpp"

namespace ballast::fsdp {

/// A rank's accumulated gradient in fp32, laid out like its flat shard. Reductions fill what it
/// owns; with replicas the rest of what it holds comes from them.
class Accumulators {
 public:
  Accumulators(const ShardLayout& layout, Arena& arena)
      : layout_{&layout},
        arena_{&arena},
        slot_{arena.reserve<float>(MemoryClass::gradients, layout.local_numel())} {}

  [[nodiscard]] std::span<float> all() const { return arena_->view(slot_); }
  [[nodiscard]] std::span<float> held(model::UnitId unit) const {
    return all().subspan(layout_->held_offset(unit), layout_->held(unit).numel());
  }
  [[nodiscard]] std::span<float> owned(model::UnitId unit) const {
    return all().subspan(layout_->owned_offset(unit), layout_->owned(unit).numel());
  }

 private:
  const ShardLayout* layout_;
  const Arena* arena_;
  Arena::Slot<float> slot_;
};

}  // namespace ballast::fsdp
