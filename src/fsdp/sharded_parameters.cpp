#include "fsdp/sharded_parameters.hpp"

#include "base/error.hpp"
#include "fsdp/gathered_store.hpp"
#include "fsdp/host_exchange.hpp"
#include "fsdp/message_exchange.hpp"
#include "fsdp/region_exchange.hpp"
#include "fsdp/resident_store.hpp"

namespace ballast::fsdp {

using model::UnitId;

namespace {

std::unique_ptr<UnitStore> make_store(const ShardLayout& layout, const Policy& policy,
                                      const Transports& transports, Needs& needs) {
  const Topology& topology = transports.topology;
  switch (transports.weights) {
    case Transport::none:
    case Transport::region:
      return std::make_unique<ResidentStore>(layout, policy.compute, transports.weights, needs);
    case Transport::messages:
      return std::make_unique<GatheredStore>(layout, policy, each_alone(topology.ranks()),
                                             transports.weights, needs);
    case Transport::hosts:
      return std::make_unique<GatheredStore>(layout, policy, topology.hosts(), transports.weights,
                                             needs);
  }
  throw internal_error("no store for transport {}", static_cast<int>(transports.weights));
}

std::unique_ptr<GradientExchange> make_exchange(const ShardLayout& layout, const Policy& policy,
                                                const Transports& transports,
                                                const Accumulators& accumulators, Needs& needs) {
  switch (transports.gradients) {
    case Transport::region:
      return std::make_unique<RegionExchange>(layout, policy, accumulators, needs);
    case Transport::hosts:
      return std::make_unique<HostExchange>(layout, policy, transports.topology.hosts(),
                                            accumulators, needs);
    case Transport::none:
    case Transport::messages:
      return std::make_unique<MessageExchange>(layout, policy, accumulators, needs);
  }
  throw internal_error("no exchange for transport {}", static_cast<int>(transports.gradients));
}

}  // namespace

ShardedParameters::ShardedParameters(const ShardLayout& layout, const Policy& policy,
                                     const Transports& transports, Needs& needs,
                                     std::span<const Arena::Extent> reusable, Profile* profile,
                                     Team* team)
    : layout_{&layout},
      policy_{policy},
      profile_{profile},
      store_{make_store(layout, policy, transports, needs)} {
  if (layout.table().trained_numel() == 0) return;
  accumulators_.emplace(layout, reusable,
                        transports.gradients == Transport::region ? RegionExchange::kUnitsLate : 0,
                        policy.leaf_groups.cross_waves(layout.ranks(), policy.leaves), needs.own);
  exchange_ = make_exchange(layout, policy, transports, *accumulators_, needs);
  if (layout.mesh().replicas > 1) needs.group(Group::replicas);
  exchange_->set_team(team);
  counts_.reserve(layout.mesh().replicas);
  offsets_.reserve(layout.mesh().replicas);
}

ShardedParameters::~ShardedParameters() = default;

void ShardedParameters::connect(Groups& groups, HostRegion* region) {
  groups_ = &groups;
  store_->connect(groups, region);
  if (exchange_) exchange_->connect(groups, region);
}

void ShardedParameters::publish_all() {
  for (UnitId unit = 0; unit < layout_->table().units().size(); ++unit) publish(unit);
}

void ShardedParameters::publish_trained() {
  for (UnitId unit = 0; unit < layout_->table().units().size(); ++unit) {
    if (layout_->trains(unit)) publish(unit);
  }
}

void ShardedParameters::begin_micro_batch(std::size_t index, const model::StepProgram& program) {
  micro_batch_ = index;
  store_->follow(program);
}

ConstElements ShardedParameters::acquire(UnitId unit) {
  const ProfileSpan span{profile_, Region::gather, {}, numbered(unit)};
  if (exchange_) exchange_->advance();
  return store_->acquire(unit);
}

void ShardedParameters::release(UnitId unit) {
  store_->release(unit);
  if (exchange_) exchange_->advance();
}

model::GradientRoom ShardedParameters::gradient_room(UnitId unit) {
  const ProfileSpan span{profile_, Region::room, {}, numbered(unit)};
  return {exchange_->room(unit),
          micro_batch_ == 0 ? kernels::Store::overwrite : kernels::Store::add};
}

void ShardedParameters::gradient_ready(UnitId unit) {
  if (micro_batch_ + 1 < policy_.leaf_micro_batches) return;
  const ProfileSpan span{profile_, Region::reduce, {}, numbered(unit)};
  exchange_->reduce(unit, wave_);
}

void ShardedParameters::walk(const model::StepProgram& program) {
  for (std::size_t first = 0; first < program.size();) {
    std::size_t end = first + 1;
    while (end < program.size() && program[end].depth == program[first].depth) ++end;
    walk_depth(std::span{program}.subspan(first, end - first));
    first = end;
  }
}

/// The order of leases decides which gathers start early, so it must be the same on every rank: all
/// units of a depth are acquired before any of them is released.
void ShardedParameters::walk_depth(std::span<const model::Visit> visits) {
  for (const model::Visit& visit : visits) {
    if (visit.acquires) (void)acquire(visit.unit);
  }
  for (const model::Visit& visit : visits) {
    if (visit.acquires) release(visit.unit);
  }
  for (const model::Visit& visit : visits) {
    if (visit.gradient == model::Gradient::complete) gradient_ready(visit.unit);
  }
}

void ShardedParameters::finish_gradients() {
  {
    const ProfileSpan span{profile_, Region::reduce};
    exchange_->finish();
  }
  if (layout_->mesh().replicas == 1) return;
  for (UnitId unit = 0; unit < layout_->table().units().size(); ++unit) {
    if (layout_->trains(unit)) gather_from_replicas(unit);
  }
}

/// The parts of a shard that its holders own, side by side, are the shard.
void ShardedParameters::gather_from_replicas(UnitId unit) {
  const ProfileSpan span{profile_, Region::replicate, {}, numbered(unit)};
  const Mesh& mesh = layout_->mesh();
  const GranuleRange held = layout_->held(unit);
  counts_.clear();
  offsets_.clear();
  for (std::size_t replica = 0; replica < mesh.replicas; ++replica) {
    const std::size_t rank = replica * mesh.shards + mesh.shard_of(layout_->rank());
    const GranuleRange part = layout_->owned(unit, rank);
    counts_.push_back(part.numel() * sizeof(float));
    offsets_.push_back((part.first - held.first) * kGranule * sizeof(float));
  }
  const auto own = accumulators_->owned(unit);
  groups_->of(Group::replicas)
      .all_gather(std::as_bytes(own), std::as_writable_bytes(accumulators_->held(unit)), counts_,
                  offsets_, {"gather of gradients", layout_->table().unit(unit).name});
  replicated_bytes_ += held.numel() * sizeof(float) - own.size_bytes();
}

std::uint64_t ShardedParameters::reduced_bytes() const {
  return exchange_->reduced_bytes() + replicated_bytes_;
}

}  // namespace ballast::fsdp
