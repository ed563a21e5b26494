#pragma once

#include "kernels/lanes/isa.hpp"
#include "kernels/lanes/lanes.hpp"
#include "kernels/norm.hpp"

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

/// visit(PlainGain) or visit(OffsetGain). `visit` must always be inlined, as that of with_stored.
template <class Visit>
BALLAST_INLINE void with_gain(const NormRule& rule, const float* gain, Visit&& visit) {
  if (rule.gain_offset == 0.0f) return visit(PlainGain{gain});
  visit(OffsetGain{gain, rule.gain_offset});
}

}  // namespace ballast::kernels
