#include "fsdp/region_exchange.hpp"

#include <algorithm>

#include "fsdp/gradient_room.hpp"
#include "fsdp/region_fold.hpp"

namespace ballast::fsdp {

using model::UnitId;

namespace {

constexpr std::size_t kTurns = 2;

}  // namespace

RegionExchange::RegionExchange(const ShardLayout& layout, std::size_t leaf_micro_batches,
                               const Accumulators& accumulators, Needs& needs)
    : layout_{&layout},
      accumulators_{&accumulators},
      filled_{needs.signal()},
      drained_{needs.signal()},
      rooms_take_turns_{leaf_micro_batches == 1} {
  RegionPart& part = needs.region_part(Holders::every_rank);
  part_ = &part;
  const auto& table = layout.table();
  const auto add_room = [&](std::size_t granules) {
    rooms_.push_back(
        {.slot = part.arena.reserve<float>(MemoryClass::transient, granules * kGranule)});
  };
  if (!rooms_take_turns_) {
    for (const auto& unit : table.units()) add_room(room_granules(unit));
    return;
  }
  const RoomSizes sizes = room_sizes(table);
  add_room(sizes.end_outlasts_blocks ? sizes.end : std::max(sizes.end, sizes.block));
  first_turn_ = sizes.end_outlasts_blocks ? 1 : 0;
  while (rooms_.size() < first_turn_ + kTurns) add_room(sizes.block);
}

std::size_t RegionExchange::room_of(UnitId unit) const {
  if (!rooms_take_turns_) return unit;
  return layout_->table().is_end(unit) ? 0 : first_turn_ + turn_ % kTurns;
}

std::span<float> RegionExchange::room(UnitId unit) {
  const Room& room = rooms_[room_of(unit)];
  if (room.last_use != 0) {
    // The other ranks wait until this rank has pulled it, before they use their rooms again.
    if (pending_ && pending_->number == room.last_use) finish();
    region_->await(drained_, 0, layout_->ranks(), room.last_use,
                   {"free gradient room", layout_->table().unit(unit).name});
  }
  return room_for(layout_->table(), unit, part_->arena.view(room.slot));
}

void RegionExchange::reduce(UnitId unit, const Wave& wave) {
  const Reduction reduction{unit, wave, room_of(unit), ++count_};
  if (layout_->rank() < wave.contributors) {
    rooms_[reduction.room].last_use = reduction.number;
    region_->post(filled_, reduction.number);
  }
  turn_ = layout_->table().is_end(unit) ? 1 : turn_ + 1;
  finish();
  pending_ = reduction;
}

void RegionExchange::finish() {
  if (!pending_) return;
  pull(*pending_);
  pending_.reset();
}

void RegionExchange::pull(const Reduction& reduction) {
  const auto& [unit, wave, room, number] = reduction;
  const GranuleRange own = layout_->owned(unit);
  slices_.clear();
  for (std::size_t rank = 0; rank < wave.contributors; ++rank) {
    const std::byte* const start = region_->part_of(rank, *part_).data() + rooms_[room].slot.offset;
    slices_.push_back(reinterpret_cast<const float*>(start) + own.first_element());
  }
  fold_.begin(unit);
  const comm::Place place{"gradient reduction", layout_->table().unit(unit).name};
  fold_region(*region_, {slices_, filled_, number, own.first, place}, wave, fold_,
              accumulators_->owned(unit));
  region_->post(drained_, number);
  const bool contributes = layout_->rank() < wave.contributors;
  reduced_bytes_ += (wave.contributors - (contributes ? 1 : 0)) * own.numel() * sizeof(float);
}

}  // namespace ballast::fsdp
