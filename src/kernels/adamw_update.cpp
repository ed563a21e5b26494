#include "kernels/adamw_update.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include "kernels/lanes/half.hpp"
#include "kernels/lanes/isa.hpp"
#include "kernels/lanes/lanes.hpp"

namespace ballast::kernels {

namespace {

/// Elements between two looks ahead: two cache lines of floats, one of halves.
constexpr std::size_t kBlock = 32;

/// Elements that are asked for ahead of their use. Root and quotient keep the loop from reaching as
/// far into memory by itself as a plain one does, and what fetches ahead in the processor stops at
/// the end of each page.
constexpr std::size_t kAhead = 512;

template <class T>
BALLAST_INLINE void fetch(const T* block) {
  constexpr std::size_t kLine = 64 / sizeof(T);
#pragma GCC unroll 2
  for (std::size_t i = 0; i < kBlock; i += kLine) __builtin_prefetch(block + i);
}

/// The weight after the step; the moments of its element are replaced.
BALLAST_INLINE float stepped(const AdamWStep& s, float weight, float gradient, float& moment1,
                             float& moment2) {
  const float g = gradient * s.gradient_factor;
  const float m = __builtin_fmaf(s.beta1, moment1, (1.0f - s.beta1) * g);
  const float v = __builtin_fmaf(s.beta2, moment2, (1.0f - s.beta2) * (g * g));
  const float deviation = __builtin_fmaf(std::sqrt(v), s.inv_sqrt_bias2, s.epsilon);
  moment1 = m;
  moment2 = v;
  // Decay acts on the weight, not on its gradient (Loshchilov and Hutter 2019, Algorithm 2).
  return __builtin_fmaf(weight, s.decay_factor, -(s.step_size * (m / deviation)));
}

// How masters are stored: what all loops below need of it.

struct Fp32 {
  float* weight;

  [[gnu::always_inline]] void fetch_block(std::size_t i) const { fetch(weight + i); }
  [[gnu::always_inline]] float master(std::size_t i) const { return weight[i]; }
  [[gnu::always_inline]] void store(std::size_t i, float master) const { weight[i] = master; }
};

struct Split {
  std::uint16_t* high;
  std::int16_t* low;

  [[gnu::always_inline]] void fetch_block(std::size_t i) const {
    fetch(high + i);
    fetch(low + i);
  }
  [[gnu::always_inline]] float master(std::size_t i) const { return joined(high[i], low[i]); }
  [[gnu::always_inline]] void store(std::size_t i, float master) const {
    const std::uint16_t rounded = master_high(master);
    high[i] = rounded;
    low[i] = master_low(master, rounded);
  }
};

struct Fp16 {
  float* full;
  std::uint16_t* fp16;

  [[gnu::always_inline]] void fetch_block(std::size_t i) const {
    fetch(full + i);
    fetch(fp16 + i);
  }
  [[gnu::always_inline]] float master(std::size_t i) const { return full[i]; }
  [[gnu::always_inline]] void store(std::size_t i, float master) const {
    full[i] = master;
    fp16[i] = to_fp16(master);
  }
};

struct Streams {
  const float* gradient;
  float* moment1;
  float* moment2;

  explicit Streams(const AdamWState& state)
      : gradient{state.gradient.data()},
        moment1{state.moment1.data()},
        moment2{state.moment2.data()} {}
  [[gnu::always_inline]] void fetch_block(std::size_t i) const {
    fetch(gradient + i);
    fetch(moment1 + i);
    fetch(moment2 + i);
  }
};

template <class Masters>
BALLAST_INLINE void update_element(const AdamWStep& s, const Masters& masters,
                                   const Streams& streams, std::size_t i) {
  masters.store(i, stepped(s, masters.master(i), streams.gradient[i], streams.moment1[i],
                           streams.moment2[i]));
}

template <class Masters>
BALLAST_INLINE void update_all(const AdamWStep& step, const Masters& masters,
                               const Streams& streams, std::size_t count) {
  const AdamWStep s = step;
  std::size_t i = 0;
  for (; i + kAhead + kBlock <= count; i += kBlock) {
    masters.fetch_block(i + kAhead);
    streams.fetch_block(i + kAhead);
    BALLAST_INDEPENDENT
    for (std::size_t j = i; j < i + kBlock; ++j) update_element(s, masters, streams, j);
  }
  BALLAST_INDEPENDENT
  for (std::size_t j = i; j < count; ++j) update_element(s, masters, streams, j);
}

/// What a granule's elements add to its partials, to be summed once all are there.
struct Terms {
  float staleness[kGranule];
  float weight[kGranule];
  float update[kGranule];
};

/// The same update of elements [i, i + count), with what it tells of them from `at` on.
template <class Masters>
BALLAST_INLINE void update_and_tell(const AdamWStep& s, const Masters& masters,
                                    const Streams& streams, std::size_t i, std::size_t count,
                                    Terms& terms, std::size_t at) {
  const float debias = s.inv_sqrt_bias2 * s.inv_sqrt_bias2;
  // An element that never had a gradient adds 0, not a quotient of zeros.
  const float least = std::max(s.epsilon * s.epsilon, std::numeric_limits<float>::min());
  BALLAST_INDEPENDENT
  for (std::size_t j = 0; j < count; ++j) {
    const float before = masters.master(i + j);
    float m = streams.moment1[i + j];
    float v = streams.moment2[i + j];
    const float after = stepped(s, before, streams.gradient[i + j], m, v);
    masters.store(i + j, after);
    streams.moment1[i + j] = m;
    streams.moment2[i + j] = v;
    const float g = streams.gradient[i + j] * s.gradient_factor;
    const float unbiased = v * debias;
    terms.staleness[at + j] = g * g / (unbiased > least ? unbiased : least);
    terms.weight[at + j] = after;
    terms.update[at + j] = after - before;
  }
}

template <class Masters>
BALLAST_INLINE void update_with_partials(const AdamWStep& step, const Masters& masters,
                                         const Streams& streams, AdamWPartials* partials,
                                         std::size_t count) {
  const AdamWStep s = step;
  Terms terms;
  for (std::size_t first = 0; first < count; first += kGranule) {
    const std::size_t granule = count - first < kGranule ? count - first : kGranule;
    std::size_t at = 0;
    for (; first + at + kAhead + kBlock <= count && at + kBlock <= granule; at += kBlock) {
      masters.fetch_block(first + at + kAhead);
      streams.fetch_block(first + at + kAhead);
      update_and_tell(s, masters, streams, first + at, kBlock, terms, at);
    }
    update_and_tell(s, masters, streams, first + at, granule - at, terms, at);
    *partials++ = {lane_sum(terms.staleness, granule), lane_squares(terms.weight, 0.0f, granule),
                   lane_squares(terms.update, 0.0f, granule)};
  }
}

BALLAST_KERNEL void update_fp32(const AdamWStep& s, const Fp32& masters, const Streams& streams,
                                std::size_t count) {
  update_all(s, masters, streams, count);
}

BALLAST_KERNEL void update_split(const AdamWStep& s, const Split& masters, const Streams& streams,
                                 std::size_t count) {
  update_all(s, masters, streams, count);
}

BALLAST_KERNEL void update_fp16(const AdamWStep& s, const Fp16& masters, const Streams& streams,
                                std::size_t count) {
  update_all(s, masters, streams, count);
}

BALLAST_KERNEL void watch_fp32(const AdamWStep& s, const Fp32& masters, const Streams& streams,
                               AdamWPartials* partials, std::size_t count) {
  update_with_partials(s, masters, streams, partials, count);
}

BALLAST_KERNEL void watch_split(const AdamWStep& s, const Split& masters, const Streams& streams,
                                AdamWPartials* partials, std::size_t count) {
  update_with_partials(s, masters, streams, partials, count);
}

BALLAST_KERNEL void watch_fp16(const AdamWStep& s, const Fp16& masters, const Streams& streams,
                               AdamWPartials* partials, std::size_t count) {
  update_with_partials(s, masters, streams, partials, count);
}

}  // namespace

void adamw(const AdamWStep& step, std::span<float> weight, const AdamWState& state) {
  const Fp32 masters{weight.data()};
  if (state.partials.empty()) return update_fp32(step, masters, Streams{state}, weight.size());
  watch_fp32(step, masters, Streams{state}, state.partials.data(), weight.size());
}

void adamw(const AdamWStep& step, std::span<std::uint16_t> high, std::span<std::int16_t> low,
           const AdamWState& state) {
  const Split masters{high.data(), low.data()};
  if (state.partials.empty()) return update_split(step, masters, Streams{state}, high.size());
  watch_split(step, masters, Streams{state}, state.partials.data(), high.size());
}

void adamw(const AdamWStep& step, std::span<float> master, std::span<std::uint16_t> fp16,
           const AdamWState& state) {
  const Fp16 masters{master.data(), fp16.data()};
  if (state.partials.empty()) return update_fp16(step, masters, Streams{state}, master.size());
  watch_fp16(step, masters, Streams{state}, state.partials.data(), master.size());
}

}  // namespace ballast::kernels
