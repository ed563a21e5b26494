#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "fsdp/host_region.hpp"
#include "fsdp/needs.hpp"
#include "fsdp/shard_layout.hpp"
#include "tensor/arena.hpp"

namespace ballast::fsdp {

/// Rooms in the host's region in which each of its ranks writes gradients, for all of them to read.
///
/// Each rank has two rooms for all units in turn, so that it writes one gradient while others still
/// read the last. The first room is large enough for embedding and head too. A unit that these two
/// share is begun before the blocks and complete after them, so it has a third. With several
/// micro-batches a leaf every unit has its own room, where they add up.
class RegionRooms {
 public:
  /// Needs a part of the region for every rank, and a counter.
  RegionRooms(const ShardLayout& layout, std::size_t leaf_micro_batches, Needs& needs);
  void connect(HostRegion* region, std::size_t sharers) {
    region_ = region;
    sharers_ = sharers;
  }

  /// Where this rank writes the gradient of `unit`: waits until all ranks of the host have
  /// drained() what was left there. Before, this rank must have done so itself.
  [[nodiscard]] std::span<float> enter(model::UnitId unit);
  /// The reduction whose gradient this rank left last in the room for `unit`; 0: none.
  [[nodiscard]] std::uint32_t last_use(model::UnitId unit) const {
    return rooms_[room_of(unit)].last_use;
  }

  /// The room that `unit` is in, until it is left.
  [[nodiscard]] std::size_t room_of(model::UnitId unit) const;
  /// Reduction `number`, of `unit`, follows; `writes`: this rank has left its gradient in the room.
  void leave(model::UnitId unit, std::uint32_t number, bool writes);
  /// What a rank of this host has written in a room, from the element `first` on.
  [[nodiscard]] const float* read(std::size_t rank, std::size_t room, std::size_t first) const;
  /// This rank no longer reads the rooms of reductions up to `number`.
  void drained(std::uint32_t number) { region_->post(drained_, number); }

 private:
  struct Room {
    Arena::Slot<float> slot;
    std::uint32_t last_use = 0;
  };

  const ShardLayout* layout_;
  const RegionPart* part_;
  Signal drained_;
  HostRegion* region_ = nullptr;
  std::size_t sharers_ = 0;
  bool take_turns_;
  std::size_t first_turn_ = 0;  ///< the first room that blocks take
  std::size_t turn_ = 0;
  std::vector<Room> rooms_;
};

}  // namespace ballast::fsdp
