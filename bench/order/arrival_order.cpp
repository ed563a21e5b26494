// What fsdp/region_fold.cpp does, without the rule that makes bits the same: slices are added in
// the order in which their ranks arrive. Linked into ballast_arrival alone.
#include <sched.h>
#include <vector>

#include "base/clock.hpp"
#include "fsdp/region_fold.hpp"

namespace ballast::fsdp {

namespace {

/// The slices of one reduction that have not been folded yet, own rank first: it never waits.
class Arrivals {
 public:
  Arrivals(HostRegion& region, const RegionSlices& slices) : region_{region}, slices_{slices} {
    const std::size_t ranks = slices.of_rank.size();
    const auto own = static_cast<std::size_t>(region.node().rank());
    for (std::size_t i = 0; i < ranks; ++i) missing_.push_back((own + i) % ranks);
  }

  [[nodiscard]] bool are_complete() const { return missing_.empty(); }

  /// Those that came since the last call: folded in one pass, since that is what is fastest.
  [[nodiscard]] std::span<LeafSum> take() {
    arrived_.clear();
    std::erase_if(missing_, [&](std::size_t rank) {
      const auto filled = static_cast<std::size_t>(slices_.filled);
      const bool is_here = region_.board().reached(filled, rank, slices_.number);
      if (is_here) arrived_.push_back(slices_.of_rank[rank]);
      return is_here;
    });
    return arrived_;
  }

  /// Until one more comes. Ranks that never do are named by the region, as in the other order.
  void wait() {
    const Stopwatch watch;
    while (!any_came()) {
      region_.node().make_progress();
      sched_yield();
      if (watch.elapsed_s() > region_.node().timeout_s()) {
        region_.await(slices_.filled, {0, slices_.of_rank.size()}, slices_.number, slices_.place);
      }
    }
    region_.node().add_skew_s(watch.elapsed_s());
  }

 private:
  [[nodiscard]] bool any_came() const {
    constexpr int kLooks = 300;
    for (int look = 0; look < kLooks; ++look) {
      for (const std::size_t rank : missing_) {
        const auto filled = static_cast<std::size_t>(slices_.filled);
        if (region_.board().reached(filled, rank, slices_.number)) return true;
      }
    }
    return false;
  }

  HostRegion& region_;
  const RegionSlices& slices_;
  std::vector<std::size_t> missing_;
  std::vector<LeafSum> arrived_;
};

}  // namespace

/// A non-finite gradient is still found, but its leaf is counted in order of arrival.
void fold_region(HostRegion& region, const RegionSlices& slices, const Reduction& reduction,
                 LeafFold& fold, const LeafFold::Target& target) {
  Arrivals arrivals{region, slices};
  std::size_t leaf = reduction.wave.first_leaf;
  while (!arrivals.are_complete()) {
    const auto arrived = arrivals.take();
    if (arrived.empty()) {
      arrivals.wait();
      continue;
    }
    const Stopwatch watch;
    for (LeafSum& sum : arrived) sum.leaves.first = leaf++;
    const std::size_t first = arrived.front().leaves.first;
    const Wave part{arrived.size(), first, reduction.wave.leaves};
    fold.add({reduction.unit, part, reduction.order}, arrived, target);
    region.node().add_work_s(watch.elapsed_s());
  }
}

}  // namespace ballast::fsdp
