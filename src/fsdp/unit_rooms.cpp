#include "fsdp/unit_rooms.hpp"

#include <algorithm>

namespace ballast::fsdp {

using model::UnitId;

namespace {

bool keeps_all(const Policy& policy) {
  return policy.sharding == Sharding::grad_op || policy.reshard.keeps_all();
}

/// A lane for each unit that has a room to itself; one for the others, or two where a block is cut
/// into what trains and what does not: these are read together.
std::vector<std::size_t> find_lanes(const model::ParameterTable& table, const Policy& policy) {
  const std::size_t alone = keeps_all(policy) ? table.units().size() : table.ends();
  bool is_cut = false;
  for (std::size_t layer = 0; layer < table.layers(); ++layer) {
    is_cut |= table.units_at(table.depth_of(layer)).size() > 1;
  }
  std::vector<std::size_t> lanes;
  for (UnitId unit = 0; unit < table.units().size(); ++unit) {
    lanes.push_back(unit < alone ? unit : alone + (is_cut && table.unit(unit).trains ? 1 : 0));
  }
  return lanes;
}

}  // namespace

UnitRooms::UnitRooms(const model::ParameterTable& table, const Policy& policy, Arena& arena)
    : table_{&table},
      arena_{&arena},
      prefetch_units_{policy.prefetch_units},
      type_{policy.compute},
      lanes_{find_lanes(table, policy)},
      versions_(table.units().size()) {
  for (std::size_t lane = 0; lane <= std::ranges::max(lanes_); ++lane) reserve_lane(lane, arena);
  upcoming_.reserve(1 + prefetch_units_);
}

void UnitRooms::reserve_lane(std::size_t lane, Arena& arena) {
  std::size_t units = 0;
  std::size_t granules = 0;
  for (UnitId unit = 0; unit < lanes_.size(); ++unit) {
    if (lanes_[unit] != lane) continue;
    ++units;
    granules = std::max(granules, table_->unit(unit).granules);
  }
  for (std::size_t i = 0; i < std::min(units, 1 + prefetch_units_); ++i) {
    rooms_.push_back(
        {.slot = arena.reserve(MemoryClass::transient, granules * kGranule, type_), .lane = lane});
  }
}

Elements UnitRooms::contents(std::size_t room) const {
  return arena_->view(rooms_[room].slot).first(table_->unit(rooms_[room].unit).padded_numel());
}

void UnitRooms::follow(const model::StepProgram& program) {
  program_ = &program;
  position_ = 0;
  upcoming_.clear();
}

void UnitRooms::advance_to(UnitId unit) {
  upcoming_.assign(1, unit);
  if (program_ == nullptr) return;
  const auto& visits = *program_;
  while (position_ < visits.size() && visits[position_].unit != unit) ++position_;
  for (std::size_t i = position_; i < visits.size(); ++i) {
    if (upcoming_.size() > prefetch_units_) break;
    if (std::ranges::find(upcoming_, visits[i].unit) == upcoming_.end()) {
      upcoming_.push_back(visits[i].unit);
    }
  }
}

std::optional<std::size_t> UnitRooms::find(UnitId unit) const {
  for (std::size_t i = 0; i < rooms_.size(); ++i) {
    if (rooms_[i].unit == unit && is_current(rooms_[i])) return i;
  }
  return std::nullopt;
}

std::optional<std::size_t> UnitRooms::find_free(UnitId unit) const {
  const auto is_wanted = [&](const Room& room) {
    return is_current(room) && std::ranges::find(upcoming_, room.unit) != upcoming_.end();
  };
  for (std::size_t i = 0; i < rooms_.size(); ++i) {
    const Room& room = rooms_[i];
    if (room.lane == lanes_[unit] && room.leases == 0 && !is_wanted(room)) return i;
  }
  return std::nullopt;
}

void UnitRooms::claim(std::size_t room, UnitId unit) {
  rooms_[room].unit = unit;
  rooms_[room].version = versions_[unit];
}

}  // namespace ballast::fsdp
