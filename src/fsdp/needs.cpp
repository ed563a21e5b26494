#include "fsdp/needs.hpp"

namespace ballast::fsdp {

RegionPart& Needs::region_part(Holders holders) {
  group(Group::node);
  return parts_.emplace_back(RegionPart{holders, parts_.size(), {}});
}

Signal Needs::signal() {
  group(Group::node);
  return Signal{signals_++};
}

std::size_t planned_bytes(const Needs& needs, Holders holders) {
  std::size_t bytes = 0;
  for (const RegionPart& part : needs.region_parts()) {
    if (part.holders == holders) bytes += part.arena.planned_bytes();
  }
  return bytes;
}

}  // namespace ballast::fsdp
