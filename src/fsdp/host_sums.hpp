#pragma once

#include <cstddef>
#include <vector>

#include "comm/rank_range.hpp"
#include "fsdp/fetch_plan.hpp"
#include "fsdp/wave.hpp"

namespace ballast::fsdp {

/// What leaves a host in a wave: the ranks `host` compute neighboring leaves, and a group of leaves
/// leaves the host as one sum as far as it begins there. Leaves that continue a group of the host
/// before go singly, since only the owner knows what they are to be added to.
class HostSums {
 public:
  HostSums(const LeafGroups& groups, const Wave& wave, comm::RankRange host);

  /// Calls act(range) for the leaves of each sum, in leaf order.
  template <class Act>
  void for_each(Act&& act) const {
    for (std::size_t leaf = leaves_.first; leaf < leaves_.end();) {
      const LeafRange range = sum_at(leaf);
      act(range);
      leaf = range.end();
    }
  }
  /// How many sums there are.
  [[nodiscard]] std::size_t count() const;
  /// How many of them have several leaves, or are rounded.
  [[nodiscard]] std::size_t formed() const;
  [[nodiscard]] bool is_formed(LeafRange range) const {
    return range.count > 1 || is_rounded(range);
  }
  /// Whether a sum travels as bf16.
  [[nodiscard]] bool is_rounded(LeafRange range) const {
    return groups_.rounds && groups_.is_whole(range, wave_.leaves);
  }

 private:
  [[nodiscard]] LeafRange sum_at(std::size_t leaf) const;

  LeafGroups groups_;
  Wave wave_;
  LeafRange leaves_;  ///< of the host's ranks
};

/// The most sums that any wave of a step brings to a rank of `here`, and that its own ranks form.
struct MostSums {
  std::size_t from_others = 0;
  std::size_t formed = 0;
};
[[nodiscard]] MostSums most_sums(const LeafGroups& groups, std::size_t leaves,
                                 const Neighborhoods& hosts, comm::RankRange here);

}  // namespace ballast::fsdp
