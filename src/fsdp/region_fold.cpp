#include "fsdp/region_fold.hpp"

#include "base/clock.hpp"

// This one function alone: bench/order links another in its place.
namespace ballast::fsdp {

void fold_region(HostRegion& region, const RegionSlices& slices, const Reduction& reduction,
                 LeafFold& fold, const LeafFold::Target& target) {
  region.await(slices.filled, {0, slices.of_rank.size()}, slices.number, slices.place);
  const Stopwatch watch;
  fold.add(reduction, slices.of_rank, target);
  region.node().add_work_s(watch.elapsed_s());
}

}  // namespace ballast::fsdp
