#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "comm/communicator.hpp"
#include "fsdp/host_region.hpp"
#include "fsdp/leaf_fold.hpp"

namespace ballast::fsdp {

/// The part of one unit's gradient that this rank owns, as every contributor leaves it in its room.
struct RegionSlices {
  std::span<const LeafSum> of_rank;  ///< readable once that rank has filled its room
  Signal filled;                     ///< posted by that rank once it has ...
  std::uint32_t number;              ///< ... the number of the reduction
  comm::Place place;                 ///< for the report, should a rank never arrive
};

/// Adds the slices of a wave to `target` with `fold`, each once its rank has written it.
void fold_region(HostRegion& region, const RegionSlices& slices, const Reduction& reduction,
                 LeafFold& fold, const LeafFold::Target& target);

}  // namespace ballast::fsdp
