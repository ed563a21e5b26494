#include "kernels/elementwise.hpp"

#include <cstddef>

#include "kernels/isa.hpp"
#include "kernels/lanes.hpp"

// Destinations may alias sources element for element; `ivdep` tells the compiler that nothing else
// overlaps.
namespace ballast::kernels {

namespace {

BALLAST_KERNEL void add_all(const float* a, const float* b, float* out, std::size_t count) {
#pragma GCC ivdep
  for (std::size_t i = 0; i < count; ++i) out[i] = a[i] + b[i];
}

BALLAST_KERNEL void scale_all(const float* x, float factor, float* out, std::size_t count) {
#pragma GCC ivdep
  for (std::size_t i = 0; i < count; ++i) out[i] = x[i] * factor;
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

void add(std::span<const float> a, std::span<const float> b, std::span<float> out) {
  add_all(a.data(), b.data(), out.data(), out.size());
}

void accumulate(std::span<const float> x, std::span<float> out) {
  add_all(out.data(), x.data(), out.data(), out.size());
}

void scale(std::span<const float> x, float factor, std::span<float> out) {
  scale_all(x.data(), factor, out.data(), out.size());
}

double sum_of_squares(std::span<const float> granule) {
  return squares(granule.data(), granule.size());
}

}  // namespace ballast::kernels
