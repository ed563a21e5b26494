#include "fsdp/region_exchange.hpp"

#include "fsdp/region_fold.hpp"

namespace ballast::fsdp {

using model::UnitId;

RegionExchange::RegionExchange(const ShardLayout& layout, const Policy& policy,
                               const Accumulators& accumulators, Needs& needs)
    : GradientExchange{policy.leaf_groups},
      layout_{&layout},
      accumulators_{&accumulators},
      rooms_{layout, policy.leaf_micro_batches, needs},
      filled_{needs.signal()} {}

void RegionExchange::connect(Groups&, HostRegion* region) {
  region_ = region;
  rooms_.connect(region, layout_->ranks());
}

std::span<float> RegionExchange::room(UnitId unit) {
  // The other ranks wait until this rank has pulled it, before they use their rooms again.
  if (pending_ && pending_->number == rooms_.last_use(unit)) finish();
  return rooms_.enter(unit);
}

void RegionExchange::reduce(UnitId unit, const Wave& wave) {
  const Pending next{fold_.begin(unit, wave), rooms_.room_of(unit), ++count_};
  const bool writes = layout_->rank() < wave.contributors;
  rooms_.leave(unit, next.number, writes);
  if (writes) region_->post(filled_, next.number);
  finish();
  pending_ = next;
}

void RegionExchange::finish() {
  if (!pending_) return;
  pull(*pending_);
  pending_.reset();
}

void RegionExchange::pull(const Pending& pending) {
  const auto& [reduction, room, number] = pending;
  const auto& [unit, wave, order] = reduction;
  const GranuleRange own = layout_->owned(unit);
  slices_.clear();
  for (std::size_t rank = 0; rank < wave.contributors; ++rank) {
    slices_.push_back({rooms_.read(rank, room, own.first_element()), {wave.first_leaf + rank, 1}});
  }
  const comm::Place place{"gradient reduction", layout_->table().unit(unit).name};
  fold_region(*region_, {slices_, filled_, number, place}, reduction, fold_,
              {accumulators_->owned(unit), accumulators_->open(unit), own.first});
  rooms_.drained(number);
  const bool contributes = layout_->rank() < wave.contributors;
  reduced_bytes_ += (wave.contributors - (contributes ? 1 : 0)) * own.numel() * sizeof(float);
}

}  // namespace ballast::fsdp
