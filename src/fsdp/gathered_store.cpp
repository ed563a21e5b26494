#include "fsdp/gathered_store.hpp"

#include <cstring>

#include "base/clock.hpp"
#include "base/error.hpp"

namespace ballast::fsdp {

using model::UnitId;

namespace {

constexpr std::string_view kGather = "gather";

/// The members of this rank's group, counted within it, by the hosts that they share.
Neighborhoods members_of(const ShardLayout& layout, const Neighborhoods& hosts) {
  const std::size_t first = layout.mesh().first_of_group(layout.rank());
  Neighborhoods members = within(hosts, {first, layout.mesh().shards});
  for (comm::RankRange& run : members) run.first -= first;
  return members;
}

Arena& room_arena(Transport transport, Needs& needs) {
  return transport == Transport::hosts ? needs.region_part(Holders::first_of_group).arena
                                       : needs.own;
}

}  // namespace

GatheredStore::GatheredStore(const ShardLayout& layout, const Policy& policy,
                             const Neighborhoods& hosts, Transport transport, Needs& needs)
    : layout_{&layout},
      member_{layout.mesh().shard_of(layout.rank())},
      hosts_{members_of(layout, hosts)},
      plan_{plan_fetch(hosts_, member_)},
      own_{&needs.own},
      weights_{needs.own.reserve(MemoryClass::parameters, layout.local_numel(), policy.compute)},
      shared_{transport == Transport::hosts ? SharedRooms{needs} : SharedRooms{}},
      rooms_{layout.table(), policy, room_arena(transport, needs)} {
  needs.group(Group::gather);
  if (const std::size_t ranks = policy.reshard.group(); ranks > 0) {
    kept_.emplace(layout.table(), hosts_, ranks, member_, policy.compute, needs.own);
  }
}

void GatheredStore::connect(Groups& groups, HostRegion* region) {
  group_ = &groups.of(Group::gather);
  const std::size_t sharers = neighborhood_of(hosts_, member_).count;
  shared_.connect(region, {region == nullptr ? 0 : region->first_of_group(), sharers});
  fills_.reserve(rooms_.size());
  while (fills_.size() < rooms_.size()) fills_.emplace_back(*group_);
  under_way_.reserve(rooms_.size());
}

Elements GatheredStore::held(UnitId unit) const {
  return own_->view(weights_).subspan(layout_->held_offset(unit), layout_->held(unit).numel());
}

ConstElements GatheredStore::acquire(UnitId unit) {
  rooms_.advance_to(unit);
  auto room = rooms_.find(unit);
  if (!room) {
    room = rooms_.find_free(unit);
    if (!room) {
      throw internal_error("unit {} is acquired while others still occupy all rooms",
                           layout_->table().unit(unit).name);
    }
    start_fill(*room, unit);
  }
  const Fill& fill = fills_[*room];
  complete_through(fill.number);
  shared_.await_arrived(fill.number, {kGather, layout_->table().unit(unit).name});
  if (kept_ && !is_kept(unit)) kept_->keep(unit, rooms_.version(unit), rooms_.contents(*room));
  ++rooms_[*room].leases;
  look_ahead();
  return rooms_.contents(*room);
}

void GatheredStore::release(UnitId unit) {
  --rooms_[rooms_.find(unit).value()].leases;
  advance_fills();
}

void GatheredStore::look_ahead() {
  for (const UnitId unit : rooms_.upcoming().subspan(1)) {
    if (rooms_.find(unit)) continue;
    const auto room = rooms_.find_free(unit);
    if (!room) return;
    start_fill(*room, unit);
  }
  advance_fills();
}

// The course of a fill

void GatheredStore::start_fill(std::size_t room, UnitId unit) {
  rooms_.claim(room, unit);
  Fill& fill = fills_[room];
  fill.number = ++started_;
  fill.stage = Stage::opened;
  fill.from_kept = kept_ && is_kept(unit);
  fill.transfer.start({kGather, layout_->table().unit(unit).name});
  const ConstElements part = part_of(fill, unit);
  if (!part.empty()) {
    for (const std::size_t peer : plan_of(fill).sends) fill.transfer.send(part.bytes(), peer);
  }
  shared_.post_opened(fill.number);
  under_way_.push_back(room);
}

/// Copies this rank's own part to its place, and receives those that it brings in.
void GatheredStore::fill_room(std::size_t room) {
  Fill& fill = fills_[room];
  const UnitId unit = rooms_[room].unit;
  const Elements whole = rooms_.contents(room);
  const auto place = [&](std::size_t member) {
    const GranuleRange range = range_of(fill, unit, member);
    return whole.subspan(range.first_element(), range.numel());
  };
  for (const std::size_t peer : plan_of(fill).receives) {
    const Elements to = place(peer);
    if (to.empty()) continue;
    fill.transfer.receive(to.bytes(), peer);
    gathered_bytes_ += to.bytes().size();
  }
  const Stopwatch watch;
  const ConstElements part = part_of(fill, unit);
  if (!part.empty()) std::memcpy(place(member_).data(), part.data(), part.bytes().size());
  group_->add_work_s(watch.elapsed_s());
  fill.stage = Stage::filling;
}

/// Waits for the oldest fill under way.
void GatheredStore::complete_front() {
  const std::size_t room = under_way_.front();
  Fill& fill = fills_[room];
  if (fill.stage == Stage::opened) {
    shared_.await_opened(fill.number, {kGather, layout_->table().unit(rooms_[room].unit).name});
    fill_room(room);
  }
  fill.transfer.finish();
  fill.stage = Stage::arrived;
  under_way_.erase(under_way_.begin());
  shared_.post_arrived(fill.number);
}

void GatheredStore::complete_through(std::uint32_t number) {
  while (!under_way_.empty() &&
         static_cast<std::int32_t>(fills_[under_way_.front()].number - number) <= 0) {
    complete_front();
  }
}

/// Does for the fills under way what can be done without waiting.
void GatheredStore::advance_fills() {
  for (const std::size_t room : under_way_) {
    Fill& fill = fills_[room];
    if (fill.stage == Stage::opened && shared_.is_opened(fill.number)) fill_room(room);
    fill.transfer.poke();
  }
  while (!under_way_.empty()) {
    const Fill& fill = fills_[under_way_.front()];
    if (fill.stage != Stage::filling || !fill.transfer.is_done()) return;
    complete_front();
  }
}

// Where the parts of a unit come from

bool GatheredStore::is_kept(UnitId unit) const { return kept_->has(unit, rooms_.version(unit)); }

Elements GatheredStore::part_of(const Fill& fill, UnitId unit) const {
  return fill.from_kept ? kept_->part(unit) : held(unit);
}

const FetchPlan& GatheredStore::plan_of(const Fill& fill) const {
  return fill.from_kept ? kept_->plan() : plan_;
}

GranuleRange GatheredStore::range_of(const Fill& fill, UnitId unit, std::size_t member) const {
  return fill.from_kept ? kept_->range(unit, member) : layout_->held_by_shard(unit, member);
}

}  // namespace ballast::fsdp
