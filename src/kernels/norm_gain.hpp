#pragma once

#include "kernels/lanes/isa.hpp"
#include "kernels/lanes/lanes.hpp"

// How norms read their gain: loops over a row are templates on one of these.
namespace ballast::kernels {

/// A gain as it is stored ...
struct PlainGain {
  const float* values;

  [[gnu::always_inline]] float of(float stored) const { return stored; }
  [[gnu::always_inline]] void shift(LaneVector&) const {}
};

/// ... and one that is stored without its offset.
struct OffsetGain {
  const float* values;
  float offset;

  [[gnu::always_inline]] float of(float stored) const { return stored + offset; }
  [[gnu::always_inline]] void shift(LaneVector& stored) const { stored += offset; }
};

/// visit(PlainGain), or visit(OffsetGain) if the offset is not 0. `visit` must always be inlined,
/// as that of with_stored.
template <class Visit>
BALLAST_INLINE void with_gain(const float* gain, float offset, Visit&& visit) {
  if (offset == 0.0f) return visit(PlainGain{gain});
  visit(OffsetGain{gain, offset});
}

}  // namespace ballast::kernels
