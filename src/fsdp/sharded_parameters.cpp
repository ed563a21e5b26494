#include "fsdp/sharded_parameters.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace ballast::fsdp {

using model::UnitId;

namespace {

std::vector<Arena::Slot<float>> reserve_gradient_rooms(const model::ParameterTable& table,
                                                       std::size_t leaf_micro_batches,
                                                       Arena& arena) {
  const auto room = [&](std::size_t granules) {
    return arena.reserve<float>(MemoryClass::transient, granules * kGranule);
  };
  std::vector<Arena::Slot<float>> rooms{room(table.unit(model::kRootUnit).granules)};
  if (leaf_micro_batches > 1) {
    for (const auto& block : table.units().subspan(1)) rooms.push_back(room(block.granules));
  } else {
    rooms.resize(table.units().size(), room(table.largest_block_granules()));
  }
  return rooms;
}

}  // namespace

ShardedParameters::ShardedParameters(const ShardLayout& layout, comm::Communicator& world,
                                     Purpose purpose, std::size_t leaf_micro_batches, Arena& arena)
    : layout_{&layout},
      world_{&world},
      arena_{&arena},
      leaf_micro_batches_{leaf_micro_batches},
      weights_{arena.reserve<float>(MemoryClass::parameters, layout.local_numel())},
      reducer_{layout, world, arena},
      gather_counts_(layout.world_size()),
      gather_offsets_(layout.world_size()) {
  const auto& table = layout.table();
  root_room_.slot =
      arena.reserve<float>(MemoryClass::transient, table.unit(model::kRootUnit).padded_numel());
  block_room_.slot =
      arena.reserve<float>(MemoryClass::transient, table.largest_block_granules() * kGranule);
  if (purpose == Purpose::training) {
    accumulators_ = arena.reserve<float>(MemoryClass::gradients, layout.local_numel());
    gradient_rooms_ = reserve_gradient_rooms(table, leaf_micro_batches, arena);
  }
}

std::span<float> ShardedParameters::unit_part(Arena::Slot<float> slot, UnitId unit) const {
  return arena_->view(slot).subspan(layout_->local_offset(unit), layout_->own_range(unit).numel());
}

std::span<const float> ShardedParameters::acquire(UnitId unit) {
  GatherRoom& room = room_of(unit);
  const auto full = arena_->view(room.slot).first(layout_->table().unit(unit).padded_numel());
  const bool current = room.version == version_ && room.unit == unit;
  if (!current) {
    if (room.leases > 0) {
      throw internal_error("unit {} is acquired while unit {} still occupies its room",
                           layout_->table().unit(unit).name, layout_->table().unit(room.unit).name);
    }
    gather(unit, full);
    room.unit = unit;
    room.version = version_;
  }
  ++room.leases;
  return full;
}

void ShardedParameters::release(UnitId unit) { --room_of(unit).leases; }

void ShardedParameters::gather(UnitId unit, std::span<float> full) {
  for (std::size_t rank = 0; rank < layout_->world_size(); ++rank) {
    const GranuleRange range = layout_->range(unit, rank);
    gather_counts_[rank] = range.numel() * sizeof(float);
    gather_offsets_[rank] = range.first_element() * sizeof(float);
  }
  world_->all_gather(std::as_bytes(unit_part(weights_, unit)), std::as_writable_bytes(full),
                     gather_counts_, gather_offsets_,
                     {"all_gather", layout_->table().unit(unit).name});
}

std::span<float> ShardedParameters::gradient_values(UnitId unit) const {
  return arena_->view(gradient_rooms_.at(unit)).first(layout_->table().unit(unit).padded_numel());
}

model::GradientRoom ShardedParameters::gradient_room(UnitId unit) {
  return {gradient_values(unit),
          micro_batch_ == 0 ? kernels::Store::overwrite : kernels::Store::add};
}

void ShardedParameters::gradient_ready(UnitId unit) {
  if (micro_batch_ + 1 == leaf_micro_batches_) reduce(unit, gradient_values(unit));
}

void ShardedParameters::reduce(UnitId unit, std::span<const float> gradient) {
  reducer_.reduce(unit, wave_, gradient, unit_part(accumulators_, unit));
}

void ShardedParameters::walk(const model::StepProgram& program) {
  for (const model::Visit& visit : program) {
    { const model::ParameterLease lease{*this, visit.unit}; }
    if (visit.gradient == model::Gradient::complete && micro_batch_ + 1 == leaf_micro_batches_) {
      reduce(visit.unit, {});
    }
  }
}

void ShardedParameters::initialise(std::uint64_t seed) {
  const auto parameters = layout_->table().parameters();
  const auto shard = weights();
  for (const ShardSegment& segment : layout_->segments()) {
    model::initialise(parameters[segment.parameter], segment.parameter, seed, segment.granules,
                      shard.subspan(segment.local_offset, segment.granules.numel()));
  }
  weights_changed();
}

}  // namespace ballast::fsdp
