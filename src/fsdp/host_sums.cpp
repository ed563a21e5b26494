#include "fsdp/host_sums.hpp"

#include <algorithm>

namespace ballast::fsdp {

HostSums::HostSums(const LeafGroups& groups, const Wave& wave, comm::RankRange host)
    : groups_{groups}, wave_{wave} {
  const std::size_t first = std::min(host.first, wave.contributors);
  const std::size_t end = std::min(host.end(), wave.contributors);
  leaves_ = {wave.first_leaf + first, end - first};
}

LeafRange HostSums::sum_at(std::size_t leaf) const {
  if (!groups_.begins(leaf)) return {leaf, 1};
  return {leaf, std::min(leaf + groups_.size, leaves_.end()) - leaf};
}

std::size_t HostSums::count() const {
  std::size_t sums = 0;
  for_each([&](LeafRange) { ++sums; });
  return sums;
}

std::size_t HostSums::formed() const {
  std::size_t sums = 0;
  for_each([&](LeafRange range) { sums += is_formed(range) ? 1u : 0u; });
  return sums;
}

MostSums most_sums(const LeafGroups& groups, std::size_t leaves, const Neighborhoods& hosts,
                   comm::RankRange here) {
  const std::size_t ranks = hosts.back().end();
  MostSums most;
  for (std::size_t first = 0; first < leaves; first += ranks) {
    const Wave wave{std::min(ranks, leaves - first), first, leaves};
    std::size_t from_others = 0;
    for (const comm::RankRange& host : hosts) {
      const HostSums sums{groups, wave, host};
      if (host == here) {
        most.formed = std::max(most.formed, sums.formed());
      } else {
        from_others += sums.count();
      }
    }
    most.from_others = std::max(most.from_others, from_others);
  }
  return most;
}

}  // namespace ballast::fsdp
