#include "fsdp/kept_parts.hpp"

#include <cstring>

#include "base/error.hpp"

namespace ballast::fsdp {

using model::UnitId;

namespace {

comm::RankRange group_of(const Neighborhoods& hosts, std::size_t ranks, std::size_t member) {
  std::size_t first = 0;
  for (const comm::RankRange& host : hosts) {
    if (host.end() % ranks != 0) continue;
    const comm::RankRange group{first, host.end() - first};
    if (group.contains(member)) return group;
    first = group.end();
  }
  throw internal_error("member {} is in no group of {} ranks that keeps a copy", member, ranks);
}

}  // namespace

KeptParts::KeptParts(const model::ParameterTable& table, const Neighborhoods& hosts,
                     std::size_t ranks, std::size_t member, ElementType type, Arena& arena)
    : table_{&table},
      arena_{&arena},
      group_{group_of(hosts, ranks, member)},
      member_{member},
      plan_{plan_fetch(within(hosts, group_), member)},
      versions_(table.units().size()) {
  std::size_t numel = 0;
  for (UnitId unit = 0; unit < table.units().size(); ++unit) {
    offsets_.push_back(numel);
    numel += range(unit, member).numel();
  }
  slot_ = arena.reserve(MemoryClass::transient, numel, type);
}

GranuleRange KeptParts::range(UnitId unit, std::size_t member) const {
  return shard_range(table_->unit(unit).granules, member - group_.first, group_.count);
}

Elements KeptParts::part(UnitId unit) const {
  return arena_->view(slot_).subspan(offsets_[unit], range(unit, member_).numel());
}

void KeptParts::keep(UnitId unit, std::uint64_t version, ConstElements whole) {
  const GranuleRange own = range(unit, member_);
  const auto from = whole.subspan(own.first_element(), own.numel());
  if (!from.empty()) std::memcpy(part(unit).data(), from.data(), from.bytes().size());
  versions_[unit] = version;
}

}  // namespace ballast::fsdp
