#include "fsdp/host_exchange.hpp"

#include <algorithm>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "fsdp/bf16_in_place.hpp"

namespace ballast::fsdp {

using model::UnitId;

namespace {

/// The most granules that `owners` own together of any unit that trains.
std::size_t most_owned(const ShardLayout& layout, std::span<const std::size_t> owners) {
  std::size_t most = 0;
  for (UnitId unit = 0; unit < layout.table().units().size(); ++unit) {
    if (!layout.trains(unit)) continue;
    std::size_t granules = 0;
    for (const std::size_t rank : owners) granules += layout.owned(unit, rank).count;
    most = std::max(most, granules);
  }
  return most;
}

}  // namespace

HostExchange::HostExchange(const ShardLayout& layout, const Policy& policy,
                           const Neighborhoods& hosts, const Accumulators& accumulators,
                           Needs& needs)
    : GradientExchange{policy.leaf_groups},
      layout_{&layout},
      accumulators_{&accumulators},
      hosts_{hosts},
      here_{neighborhood_of(hosts, layout.rank())},
      leaves_{policy.leaves},
      plan_{plan_fetch(hosts, layout.rank())},
      rooms_{layout, policy.leaf_micro_batches, needs},
      filled_{needs.signal()},
      arena_{&needs.own} {
  needs.group(Group::reduce);
  const MostSums most = most_sums(policy.leaf_groups, policy.leaves, hosts, here_);
  const std::size_t self = layout.rank();
  const std::size_t out = most.formed * most_owned(layout, plan_.receives) * kGranule;
  const std::size_t in = most.from_others * most_owned(layout, {&self, 1}) * kGranule;
  for (Lane& lane : lanes_) {
    lane.outgoing = needs.own.reserve<float>(MemoryClass::transient, out);
    lane.incoming = needs.own.reserve<float>(MemoryClass::transient, in);
  }
  under_way_.reserve(kInFlight);
  sums_.reserve(most.from_others + here_.count);
}

void HostExchange::connect(Groups& groups, HostRegion* region) {
  region_ = region;
  rooms_.connect(region, here_.count);
  group_ = &groups.of(Group::reduce);
  for (Lane& lane : lanes_) lane.transfer.emplace(*group_);
}

std::span<float> HostExchange::room(UnitId unit) {
  // The other ranks wait until this rank has drained it, before they use their rooms again.
  complete_through(rooms_.last_use(unit));
  return rooms_.enter(unit);
}

void HostExchange::reduce(UnitId unit, const Wave& wave) {
  if (wave.leaves > leaves_) {
    throw internal_error("a step of {} leaves, planned for {}", wave.leaves, leaves_);
  }
  while (under_way_.size() >= kInFlight) complete_front();
  const Job job{fold_.begin(unit, wave), rooms_.room_of(unit), ++count_};
  const bool writes = layout_->rank() < wave.contributors;
  rooms_.leave(unit, job.number, writes);
  if (writes) region_->post(filled_, job.number);
  under_way_.push_back(job);
  advance();
}

void HostExchange::advance() {
  for (Job& job : under_way_) {
    if (!job.has_started) {
      if (!region_->reached(filled_, writers_of(job), job.number)) return;
      start(job);
    }
    transfer_of(job).poke();
  }
  while (!under_way_.empty() && under_way_.front().has_started &&
         transfer_of(under_way_.front()).is_done()) {
    complete_front();
  }
}

void HostExchange::finish() {
  while (!under_way_.empty()) complete_front();
}

// The course of a reduction

comm::Place HostExchange::place_of(const Job& job) const {
  return {"gradient reduction", layout_->table().unit(job.reduction.unit).name};
}

/// The ranks of this host that bring a leaf, counted on the host.
comm::RankRange HostExchange::writers_of(const Job& job) const {
  const std::size_t end = std::min(here_.end(), job.reduction.wave.contributors);
  return {0, end > here_.first ? end - here_.first : 0};
}

void HostExchange::start(Job& job) {
  transfer_of(job).start(place_of(job));
  post_receives(job);
  post_sends(job);
  job.has_started = true;
}

void HostExchange::post_receives(const Job& job) {
  const std::size_t numel = layout_->owned(job.reduction.unit).numel();
  if (numel == 0) return;
  std::span<float> room = arena_->view(lane_of(job).incoming);
  auto sender = plan_.sends.begin();  // one of each other host
  for (const comm::RankRange& host : hosts_) {
    if (host == here_) continue;
    const std::size_t peer = *sender++;
    const HostSums sums{fold_.groups(), job.reduction.wave, host};
    sums.for_each([&](LeafRange leaves) {
      const auto bytes = std::as_writable_bytes(room.first(numel));
      room = room.subspan(numel);
      const auto used = sums.is_rounded(leaves) ? packed_bf16(bytes) : bytes;
      transfer_of(job).receive(used, peer);
      reduced_bytes_ += used.size();
    });
  }
}

void HostExchange::post_sends(const Job& job) {
  std::span<float> room = arena_->view(lane_of(job).outgoing);
  const HostSums sums{fold_.groups(), job.reduction.wave, here_};
  for (const std::size_t owner : plan_.receives) {
    const GranuleRange part = layout_->owned(job.reduction.unit, owner);
    if (part.count == 0) continue;
    sums.for_each([&](LeafRange leaves) {
      std::span<float> formed{};
      if (sums.is_formed(leaves)) {
        formed = room.first(part.numel());
        room = room.subspan(part.numel());
      }
      transfer_of(job).send(sum_for(job, sums, leaves, part, formed), owner);
    });
  }
}

/// The sum of `leaves` over a part of the unit, as it travels: formed in `room`, unless that is
/// empty.
std::span<const std::byte> HostExchange::sum_for(const Job& job, const HostSums& sums,
                                                 LeafRange leaves, GranuleRange part,
                                                 std::span<float> room) {
  sums_.clear();
  for (std::size_t leaf = leaves.first; leaf < leaves.end(); ++leaf) {
    const std::size_t rank = leaf - job.reduction.wave.first_leaf - here_.first;
    sums_.push_back({rooms_.read(rank, job.room, part.first_element()), {leaf, 1}});
  }
  if (room.empty()) return std::as_bytes(std::span{sums_.front().values, part.numel()});
  const Stopwatch watch;
  fold_.add_up(job.reduction, sums_, room, part.first);
  const auto sum = sums.is_rounded(leaves) ? pack_bf16(room) : std::as_bytes(room);
  group_->add_work_s(watch.elapsed_s());
  return sum;
}

void HostExchange::complete_front() {
  Job& job = under_way_.front();
  if (!job.has_started) {
    region_->await(filled_, writers_of(job), job.number, place_of(job));
    start(job);
  }
  transfer_of(job).finish();
  fold(job);
  rooms_.drained(job.number);
  under_way_.erase(under_way_.begin());
}

void HostExchange::complete_through(std::uint32_t number) {
  while (!under_way_.empty() &&
         static_cast<std::int32_t>(under_way_.front().number - number) <= 0) {
    complete_front();
  }
}

void HostExchange::fold(const Job& job) {
  const Stopwatch watch;
  const UnitId unit = job.reduction.unit;
  gather_sums(job);
  fold_.add(job.reduction, sums_,
            {accumulators_->owned(unit), accumulators_->open(unit), layout_->owned(unit).first});
  group_->add_work_s(watch.elapsed_s());
}

/// What this rank's part is the sum of, in leaf order.
void HostExchange::gather_sums(const Job& job) {
  const Wave& wave = job.reduction.wave;
  const GranuleRange own = layout_->owned(job.reduction.unit);
  std::span<float> incoming = arena_->view(lane_of(job).incoming);
  sums_.clear();
  for (const comm::RankRange& host : hosts_) {
    if (host == here_) {
      for (std::size_t rank = 0; rank < writers_of(job).count; ++rank) {
        const std::size_t leaf = wave.first_leaf + here_.first + rank;
        sums_.push_back({rooms_.read(rank, job.room, own.first_element()), {leaf, 1}});
        if (here_.first + rank != layout_->rank()) reduced_bytes_ += own.numel() * sizeof(float);
      }
      continue;
    }
    const HostSums sums{fold_.groups(), wave, host};
    sums.for_each([&](LeafRange leaves) {
      const auto values = incoming.first(own.numel());
      incoming = incoming.subspan(own.numel());
      if (sums.is_rounded(leaves)) unpack_bf16(values);
      sums_.push_back({values.data(), leaves});
    });
  }
}

}  // namespace ballast::fsdp
