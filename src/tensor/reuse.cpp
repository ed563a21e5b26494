#include "tensor/reuse.hpp"

#include <algorithm>

namespace ballast {

void Reuse::lend(Arena::Extent idle) {
  const auto above = std::ranges::find(idle_, idle.end(), &Arena::Extent::offset);
  if (above == idle_.end()) {
    idle_.push_back(idle);
  } else {
    *above = {idle.offset, idle.bytes + above->bytes};
  }
}

/// From the upper end, so that what is lent next below may join the rest.
std::optional<std::size_t> Reuse::take(std::size_t bytes) {
  const std::size_t needed = aligned_size(bytes);
  const auto fits = std::ranges::find_if(
      idle_, [&](const Arena::Extent& extent) { return extent.bytes >= needed; });
  if (fits == idle_.end()) return std::nullopt;
  fits->bytes -= needed;
  return fits->end();
}

}  // namespace ballast
