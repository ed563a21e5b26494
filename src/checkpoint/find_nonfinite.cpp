#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "checkpoint/checkpoint.hpp"
#include "checkpoint/granule_hashes.hpp"
#include "checkpoint/shard_file.hpp"

namespace ballast::checkpoint {

namespace {

/// The first value of this rank's that is not finite, in words; empty where all are.
std::string find_own(const comm::Communicator& world, const fsdp::ShardLayout& layout,
                     const ShardTensors& tensors) {
  std::vector<float> values(kGranule);
  for (const auto& segment : layout.owned_segments()) {
    for (const Part part : kParts) {
      if (segment.local_offset >= part_size(tensors, part)) continue;
      for (std::size_t done = 0; done < segment.logical_numel; done += kGranule) {
        const auto granule =
            std::span{values}.first(std::min(kGranule, segment.logical_numel - done));
        read_part(tensors, part, segment.local_offset + done, granule);
        const auto bad =
            std::ranges::find_if_not(granule, [](float v) { return std::isfinite(v); });
        if (bad == granule.end()) continue;
        return fmt::format("{} of tensor '{}' holds {} (element {}, {})", name_of(part),
                           layout.table().parameters()[segment.parameter].name, *bad,
                           segment.granules.first_element() + done +
                               static_cast<std::size_t>(bad - granule.begin()),
                           world.name());
      }
    }
  }
  return {};
}

}  // namespace

std::string find_nonfinite(comm::Communicator& world, const fsdp::ShardLayout& layout,
                           const ShardTensors& tensors) {
  require_fit(world, layout, tensors);
  const auto texts =
      world.gather_texts(find_own(world, layout, tensors), {"check", "values that are not finite"});
  const auto found = std::ranges::find_if(texts, [](const auto& text) { return !text.empty(); });
  return found == texts.end() ? "" : *found;
}

}  // namespace ballast::checkpoint
