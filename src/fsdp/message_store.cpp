#include "fsdp/message_store.hpp"

#include <algorithm>
#include <cstring>

#include "base/error.hpp"

namespace ballast::fsdp {

using model::UnitId;

namespace {

constexpr std::string_view kAllGather = "all_gather";

}  // namespace

MessageStore::MessageStore(const ShardLayout& layout, const Policy& policy, Needs& needs)
    : layout_{&layout},
      policy_{policy},
      arena_{&needs.own},
      weights_{needs.own.reserve(MemoryClass::parameters, layout.local_numel(), policy.compute)},
      lanes_{find_lanes()},
      versions_(layout.table().units().size()) {
  for (std::size_t lane = 0; lane <= std::ranges::max(lanes_); ++lane)
    reserve_lane(lane, needs.own);
  upcoming_.reserve(1 + policy.prefetch_units);
  counts_.reserve(layout.mesh().shards);
  offsets_.reserve(layout.mesh().shards);
  needs.group(Group::shard);
  if (policy.reshard.group() == 0) return;
  needs.group(Group::reshard);
  reserve_kept(needs.own);
}

/// A lane for each unit that has a room to itself; one for the others, or two where a block is cut
/// into what trains and what does not: these are read together.
std::vector<std::size_t> MessageStore::find_lanes() const {
  const auto& table = layout_->table();
  const std::size_t alone = keeps_all() ? table.units().size() : table.ends();
  bool is_cut = false;
  for (std::size_t layer = 0; layer < table.layers(); ++layer) {
    is_cut |= table.units_at(table.depth_of(layer)).size() > 1;
  }
  std::vector<std::size_t> lanes;
  for (UnitId unit = 0; unit < table.units().size(); ++unit) {
    lanes.push_back(unit < alone ? unit : alone + (is_cut && layout_->trains(unit) ? 1 : 0));
  }
  return lanes;
}

void MessageStore::reserve_lane(std::size_t lane, Arena& arena) {
  std::size_t units = 0;
  std::size_t granules = 0;
  for (UnitId unit = 0; unit < lanes_.size(); ++unit) {
    if (lanes_[unit] != lane) continue;
    ++units;
    granules = std::max(granules, layout_->table().unit(unit).granules);
  }
  for (std::size_t i = 0; i < std::min(units, 1 + policy_.prefetch_units); ++i) {
    rooms_.push_back(
        {.slot = arena.reserve(MemoryClass::transient, granules * kGranule, policy_.compute),
         .lane = lane,
         .early = std::nullopt});
  }
}

void MessageStore::reserve_kept(Arena& arena) {
  std::size_t kept = 0;
  for (UnitId unit = 0; unit < lanes_.size(); ++unit) {
    kept_offsets_.push_back(kept);
    kept += kept_range(unit).numel();
  }
  kept_versions_.assign(lanes_.size(), 0);
  kept_ = arena.reserve(MemoryClass::transient, kept, policy_.compute);
}

void MessageStore::connect(Groups& groups, HostRegion*) {
  groups_ = &groups;
  if (policy_.prefetch_units == 0) return;
  for (Room& room : rooms_) room.early.emplace(groups.of(Group::shard));
}

bool MessageStore::keeps_all() const {
  return policy_.sharding == Sharding::grad_op || policy_.reshard.keeps_all();
}

Elements MessageStore::held(UnitId unit) const {
  return arena_->view(weights_).subspan(layout_->held_offset(unit), layout_->held(unit).numel());
}

Elements MessageStore::contents(const Room& room, UnitId unit) const {
  return arena_->view(room.slot).first(layout_->table().unit(unit).padded_numel());
}

// Rooms

/// Whether a room holds its unit as it was last written.
bool MessageStore::is_current(const Room& room) const {
  return room.version == versions_[room.unit];
}

MessageStore::Room* MessageStore::find(UnitId unit) {
  const auto found = std::ranges::find_if(
      rooms_, [&](const Room& room) { return room.unit == unit && is_current(room); });
  return found == rooms_.end() ? nullptr : &*found;
}

/// A room for `unit` whose contents nobody reads now or next; null when there is none.
MessageStore::Room* MessageStore::free_room(UnitId unit) {
  const auto is_wanted = [&](const Room& room) {
    return is_current(room) && std::ranges::find(upcoming_, room.unit) != upcoming_.end();
  };
  const auto found = std::ranges::find_if(rooms_, [&](const Room& room) {
    return room.lane == lanes_[unit] && room.leases == 0 && !is_wanted(room);
  });
  return found == rooms_.end() ? nullptr : &*found;
}

MessageStore::Room& MessageStore::require_room(UnitId unit) {
  Room* const room = free_room(unit);
  if (room == nullptr) {
    throw internal_error("unit {} is acquired while others still occupy all rooms",
                         layout_->table().unit(unit).name);
  }
  return *room;
}

void MessageStore::claim(Room& room, UnitId unit) {
  room.unit = unit;
  room.version = versions_[unit];
}

// The course of a micro-batch

void MessageStore::follow(const model::StepProgram& program) {
  program_ = &program;
  position_ = 0;
  upcoming_.clear();
}

/// Moves to the visit that acquires `unit`, and lists the distinct units that are read from there.
void MessageStore::advance_to(UnitId unit) {
  upcoming_.assign(1, unit);
  if (program_ == nullptr) return;
  const auto& visits = *program_;
  while (position_ < visits.size() && visits[position_].unit != unit) ++position_;
  for (std::size_t i = position_; i < visits.size(); ++i) {
    if (upcoming_.size() > policy_.prefetch_units) break;
    if (std::ranges::find(upcoming_, visits[i].unit) == upcoming_.end()) {
      upcoming_.push_back(visits[i].unit);
    }
  }
}

ConstElements MessageStore::acquire(UnitId unit) {
  advance_to(unit);
  Room* room = find(unit);
  if (room == nullptr) {
    room = &require_room(unit);
    gather_now(*room, unit);
  } else if (room->early && room->early->under_way()) {
    room->early->finish();
    keep_copy(*room);
  }
  ++room->leases;
  look_ahead();
  return contents(*room, unit);
}

void MessageStore::release(UnitId unit) {
  --find(unit)->leases;
  for (Room& room : rooms_) {
    if (room.early && room.early->under_way()) room.early->poke();
  }
}

void MessageStore::look_ahead() {
  for (std::size_t i = 1; i < upcoming_.size(); ++i) {
    if (find(upcoming_[i]) != nullptr) continue;
    Room* const room = free_room(upcoming_[i]);
    if (room == nullptr) return;
    start_early(*room, upcoming_[i]);
  }
}

// Gathers

void MessageStore::start_early(Room& room, UnitId unit) {
  const Source source = source_of(unit);
  // The smaller groups are quick to gather from; only whole groups are worth an early start.
  if (!source.whole_group) return;
  prepare_slices(source, unit);
  claim(room, unit);
  room.early->start(source.own.bytes(), contents(room, unit).bytes(), counts_, offsets_,
                    {kAllGather, layout_->table().unit(unit).name});
}

void MessageStore::gather_now(Room& room, UnitId unit) {
  const Source source = source_of(unit);
  prepare_slices(source, unit);
  claim(room, unit);
  source.group->all_gather(source.own.bytes(), contents(room, unit).bytes(), counts_, offsets_,
                           {kAllGather, layout_->table().unit(unit).name});
  keep_copy(room);
}

MessageStore::Source MessageStore::source_of(UnitId unit) {
  const std::size_t group = policy_.reshard.group();
  if (group == 0 || kept_versions_[unit] != versions_[unit]) {
    return {&groups_->of(Group::shard), held(unit), layout_->mesh().shards, true};
  }
  const auto own = arena_->view(kept_).subspan(kept_offsets_[unit], kept_range(unit).numel());
  return {&groups_->of(Group::reshard), own, group, false};
}

/// Fills counts_ and offsets_, in bytes, and counts what others send.
void MessageStore::prepare_slices(const Source& source, UnitId unit) {
  const std::size_t granules = layout_->table().unit(unit).granules;
  const std::size_t width = size_of(policy_.compute);
  counts_.clear();
  offsets_.clear();
  for (std::size_t member = 0; member < source.members; ++member) {
    const GranuleRange range = shard_range(granules, member, source.members);
    counts_.push_back(range.numel() * width);
    offsets_.push_back(range.first_element() * width);
  }
  gathered_bytes_ += granules * kGranule * width - source.own.bytes().size();
}

GranuleRange MessageStore::kept_range(UnitId unit) const {
  const std::size_t group = policy_.reshard.group();
  return shard_range(layout_->table().unit(unit).granules, layout_->rank() % group, group);
}

/// After a gather from the whole group: keeps this rank's part of the copy that stays.
void MessageStore::keep_copy(const Room& room) {
  if (policy_.reshard.group() == 0 || kept_versions_[room.unit] == versions_[room.unit]) return;
  const GranuleRange range = kept_range(room.unit);
  const auto from = contents(room, room.unit).subspan(range.first_element(), range.numel());
  const auto to = arena_->view(kept_).subspan(kept_offsets_[room.unit], range.numel());
  if (!from.empty()) std::memcpy(to.data(), from.data(), from.bytes().size());
  kept_versions_[room.unit] = versions_[room.unit];
}

}  // namespace ballast::fsdp
