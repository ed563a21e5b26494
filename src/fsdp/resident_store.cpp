#include "fsdp/resident_store.hpp"

namespace ballast::fsdp {

using model::UnitId;

ResidentStore::ResidentStore(const ShardLayout& layout, ElementType compute, Transport transport,
                             Needs& needs)
    : layout_{&layout}, versions_(layout.table().units().size()) {
  Arena& arena =
      transport == Transport::region ? needs.region_part(Holders::first_of_group).arena : needs.own;
  slot_ =
      arena.reserve(MemoryClass::parameters, layout.table().total_granules() * kGranule, compute);
  arena_ = &arena;
  if (transport == Transport::region) published_ = needs.signal();
}

Elements ResidentStore::whole(UnitId unit) const {
  const auto& info = layout_->table().unit(unit);
  return arena_->view(slot_).subspan(info.first_granule * kGranule, info.padded_numel());
}

Elements ResidentStore::held(UnitId unit) const {
  const GranuleRange range = layout_->held(unit);
  return whole(unit).subspan(range.first_element(), range.numel());
}

/// What a rank posts once it has written its run of `unit` for the last time: units are published
/// in order, so one counter a rank serves all of them.
std::uint32_t ResidentStore::count(UnitId unit) const {
  return versions_[unit] * static_cast<std::uint32_t>(layout_->table().units().size()) +
         static_cast<std::uint32_t>(unit) + 1;
}

ConstElements ResidentStore::acquire(UnitId unit) {
  if (region_ != nullptr) {
    region_->await(*published_, {region_->first_of_group(), layout_->mesh().shards}, count(unit),
                   {"gather", layout_->table().unit(unit).name});
  }
  return whole(unit);
}

void ResidentStore::publish(UnitId unit) {
  versions_[unit] = version_;
  if (region_ != nullptr) region_->post(*published_, count(unit));
}

}  // namespace ballast::fsdp
