#include "kernels/elementwise.hpp"

#include <algorithm>
#include <cstddef>

#include "base/granule.hpp"
#include "kernels/lanes/isa.hpp"
#include "kernels/lanes/lanes.hpp"
#include "kernels/lanes/pieces.hpp"
#include "kernels/lanes/stored.hpp"

// Destinations may alias sources element for element; `ivdep` tells the compiler that nothing else
// overlaps.
namespace ballast::kernels {

namespace {

template <class T>
BALLAST_INLINE void add_of(const ElementOf<T>* a, const float* b, ElementOf<T>* out,
                           std::size_t count) {
  BALLAST_INDEPENDENT
  for (std::size_t i = 0; i < count; ++i) out[i] = T::store(T::load(a[i]) + b[i]);
}

BALLAST_KERNEL void add_all(ElementType type, const void* a, const float* b, void* out,
                            std::size_t count) {
  with_stored(type, [&](auto t) BALLAST_INLINE_LAMBDA {
    add_of<decltype(t)>(elements(t, a), b, elements(t, out), count);
  });
}

template <class T>
BALLAST_INLINE void scale_of(const ElementOf<T>* x, float factor, ElementOf<T>* out,
                             std::size_t count) {
  BALLAST_INDEPENDENT
  for (std::size_t i = 0; i < count; ++i) out[i] = T::store(T::load(x[i]) * factor);
}

BALLAST_KERNEL void scale_all(ElementType type, const void* x, float factor, void* out,
                              std::size_t count) {
  with_stored(type, [&](auto t) BALLAST_INLINE_LAMBDA {
    scale_of<decltype(t)>(elements(t, x), factor, elements(t, out), count);
  });
}

BALLAST_KERNEL double squares(const float* x, std::size_t count) {
  typedef double DoubleLanes __attribute__((vector_size(kLanes * sizeof(double))));
  DoubleLanes sum{};
  LaneVector value;
  for (std::size_t i = 0; i < count; i += kLanes) {
    load_lanes(x + i, count - i, 0.0f, value);
    const auto wide = __builtin_convertvector(value, DoubleLanes);
    sum += wide * wide;
  }
  double lanes[kLanes];
  __builtin_memcpy(lanes, &sum, sizeof lanes);
  return lane_tree(lanes);
}

}  // namespace

void add(const ConstElements& a, std::span<const float> b, const Elements& out, Team* team) {
  for_elements(team, out.size(), [&](std::size_t first, std::size_t count) {
    add_all(out.type(), a.subspan(first, count).data(), b.data() + first,
            out.subspan(first, count).data(), count);
  });
}

void clear(std::span<float> x, Team* team) {
  for_elements(team, x.size(), [&](std::size_t first, std::size_t count) {
    std::ranges::fill(x.subspan(first, count), 0.0f);
  });
}

void accumulate(std::span<const float> x, std::span<float> out) { add(out, x, out); }

void scale(const ConstElements& x, float factor, const Elements& out, Team* team) {
  for_elements(team, out.size(), [&](std::size_t first, std::size_t count) {
    scale_all(out.type(), x.subspan(first, count).data(), factor, out.subspan(first, count).data(),
              count);
  });
}

void scale(std::span<const float> x, float factor, std::span<float> out) {
  scale(ConstElements{x}, factor, Elements{out});
}

double sum_of_squares(std::span<const float> granule) {
  return squares(granule.data(), granule.size());
}

void add_squares(std::span<const float> values, ExactSum& sum) {
  for (std::size_t at = 0; at < values.size(); at += kGranule) {
    sum.add(sum_of_squares(values.subspan(at, std::min(kGranule, values.size() - at))));
  }
}

}  // namespace ballast::kernels
