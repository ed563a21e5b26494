#include "fsdp/region_rooms.hpp"

#include <algorithm>

#include "fsdp/gradient_room.hpp"

namespace ballast::fsdp {

using model::UnitId;

namespace {

constexpr std::size_t kTurns = 2;

}  // namespace

RegionRooms::RegionRooms(const ShardLayout& layout, std::size_t leaf_micro_batches, Needs& needs)
    : layout_{&layout}, drained_{needs.signal()}, take_turns_{leaf_micro_batches == 1} {
  RegionPart& part = needs.region_part(Holders::every_rank);
  part_ = &part;
  const auto& table = layout.table();
  const auto add_room = [&](std::size_t granules) {
    rooms_.push_back(
        {.slot = part.arena.reserve<float>(MemoryClass::transient, granules * kGranule)});
  };
  if (!take_turns_) {
    for (const auto& unit : table.units()) add_room(room_granules(unit));
    return;
  }
  const RoomSizes sizes = room_sizes(table);
  add_room(sizes.end_outlasts_blocks ? sizes.end : std::max(sizes.end, sizes.block));
  first_turn_ = sizes.end_outlasts_blocks ? 1 : 0;
  while (rooms_.size() < first_turn_ + kTurns) add_room(sizes.block);
}

std::size_t RegionRooms::room_of(UnitId unit) const {
  if (!take_turns_) return unit;
  return layout_->table().is_end(unit) ? 0 : first_turn_ + turn_ % kTurns;
}

std::span<float> RegionRooms::enter(UnitId unit) {
  const Room& room = rooms_[room_of(unit)];
  if (room.last_use != 0) {
    region_->await(drained_, {0, sharers_}, room.last_use,
                   {"free gradient room", layout_->table().unit(unit).name});
  }
  return room_for(layout_->table(), unit, part_->arena.view(room.slot));
}

void RegionRooms::leave(UnitId unit, std::uint32_t number, bool writes) {
  if (writes) rooms_[room_of(unit)].last_use = number;
  turn_ = layout_->table().is_end(unit) ? 1 : turn_ + 1;
}

const float* RegionRooms::read(std::size_t rank, std::size_t room, std::size_t first) const {
  const std::byte* const start = region_->part_of(rank, *part_).data() + rooms_[room].slot.offset;
  return reinterpret_cast<const float*>(start) + first;
}

}  // namespace ballast::fsdp
