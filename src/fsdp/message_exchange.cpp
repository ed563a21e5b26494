#include "fsdp/message_exchange.hpp"

#include <algorithm>

#include "base/clock.hpp"
#include "fsdp/gradient_room.hpp"

namespace ballast::fsdp {

using model::UnitId;

namespace {

/// A slab is at most this many granules (1 MiB) from each rank.
constexpr std::size_t kSlabGranules = 256;

/// Granules of a slab: no more than any rank ever sends.
std::size_t slab_granules_of(const ShardLayout& layout) {
  if (layout.ranks() == 1) return 0;
  std::size_t most = 0;
  for (UnitId unit = 0; unit < layout.table().units().size(); ++unit) {
    if (layout.trains(unit)) most = std::max(most, layout.largest_owned(unit));
  }
  return std::min(kSlabGranules, most);
}

std::vector<Arena::Slot<float>> reserve_rooms(const model::ParameterTable& table,
                                              std::size_t leaf_micro_batches, Arena& arena) {
  const auto room = [&](std::size_t granules) {
    return arena.reserve<float>(MemoryClass::transient, granules * kGranule);
  };
  std::vector<Arena::Slot<float>> rooms;
  if (leaf_micro_batches > 1) {
    for (const auto& unit : table.units()) rooms.push_back(room(room_granules(unit)));
    return rooms;
  }
  const RoomSizes sizes = room_sizes(table);
  if (sizes.end_outlasts_blocks) rooms.resize(table.ends(), room(sizes.end));
  const std::size_t most =
      sizes.end_outlasts_blocks ? sizes.block : std::max(sizes.end, sizes.block);
  rooms.resize(table.units().size(), room(most));
  return rooms;
}

}  // namespace

MessageExchange::MessageExchange(const ShardLayout& layout, const Policy& policy,
                                 const Accumulators& accumulators, Needs& needs)
    : GradientExchange{policy.leaf_groups},
      layout_{&layout},
      accumulators_{&accumulators},
      arena_{&needs.own},
      rooms_{reserve_rooms(layout.table(), policy.leaf_micro_batches, needs.own)},
      slab_numel_{slab_granules_of(layout) * kGranule},
      received_{needs.own.reserve<float>(MemoryClass::transient, layout.ranks() * slab_numel_)},
      send_counts_(layout.ranks()),
      send_offsets_(layout.ranks()),
      receive_counts_(layout.ranks()),
      receive_offsets_(layout.ranks()) {
  for (std::size_t rank = 0; rank < layout.ranks(); ++rank) {
    receive_offsets_[rank] = rank * slab_numel_ * sizeof(float);
  }
}

std::span<float> MessageExchange::room(UnitId unit) {
  return room_for(layout_->table(), unit, arena_->view(rooms_.at(unit)));
}

GranuleRange MessageExchange::slab_range(UnitId unit, std::size_t rank, std::size_t slab) const {
  const GranuleRange owned = layout_->owned(unit, rank);
  const std::size_t first = std::min(slab * kSlabGranules, owned.count);
  return {owned.first + first, std::min(kSlabGranules, owned.count - first)};
}

void MessageExchange::reduce(UnitId unit, const Wave& wave) {
  const std::size_t slabs = (layout_->largest_owned(unit) + kSlabGranules - 1) / kSlabGranules;
  const std::span<const float> gradient =
      arena_->view(rooms_.at(unit)).first(layout_->table().unit(unit).padded_numel());
  const Reduction reduction = fold_.begin(unit, wave);
  for (std::size_t slab = 0; slab < slabs; ++slab) {
    exchange(unit, wave, slab, gradient);
    fold(reduction, slab, gradient);
  }
}

void MessageExchange::exchange(UnitId unit, const Wave& wave, std::size_t slab,
                               std::span<const float> gradient) {
  if (layout_->ranks() == 1) return;
  const std::size_t self = layout_->rank();
  const std::size_t own_bytes = slab_range(unit, self, slab).numel() * sizeof(float);
  for (std::size_t rank = 0; rank < layout_->ranks(); ++rank) {
    const GranuleRange theirs = slab_range(unit, rank, slab);
    const bool sends = self < wave.contributors && rank != self;
    const bool brings = rank < wave.contributors && rank != self;
    send_counts_[rank] = sends ? theirs.numel() * sizeof(float) : 0;
    send_offsets_[rank] = sends ? theirs.first_element() * sizeof(float) : 0;
    receive_counts_[rank] = brings ? own_bytes : 0;
    reduced_bytes_ += receive_counts_[rank];
  }
  world_->all_to_all(std::as_bytes(gradient), {send_counts_, send_offsets_},
                     std::as_writable_bytes(arena_->view(received_)),
                     {receive_counts_, receive_offsets_},
                     {"gradient reduction", layout_->table().unit(unit).name});
}

void MessageExchange::fold(const Reduction& reduction, std::size_t slab,
                           std::span<const float> gradient) {
  const auto& [unit, wave, order] = reduction;
  const Stopwatch watch;
  const GranuleRange own = slab_range(unit, layout_->rank(), slab);
  const std::size_t done = own.first - layout_->owned(unit).first;
  slices_.clear();
  for (std::size_t rank = 0; rank < wave.contributors; ++rank) {
    const float* const values = rank == layout_->rank()
                                    ? gradient.data() + own.first_element()
                                    : arena_->view(received_).data() + rank * slab_numel_;
    slices_.push_back({values, {wave.first_leaf + rank, 1}});
  }
  const auto part = [&](std::span<float> all) {
    return all.empty() ? all : all.subspan(done * kGranule, own.numel());
  };
  fold_.add(reduction, slices_,
            {part(accumulators_->owned(unit)), part(accumulators_->open(unit)), own.first});
  if (layout_->ranks() > 1) world_->add_work_s(watch.elapsed_s());
}

}  // namespace ballast::fsdp
