#include "kernels/convert.hpp"

#include <cstddef>
#include <cstring>

#include "kernels/lanes/half.hpp"
#include "kernels/lanes/isa.hpp"
#include "kernels/lanes/pieces.hpp"
#include "kernels/lanes/stored.hpp"

namespace ballast::kernels {

namespace {

BALLAST_KERNEL void to_bf16_all(const float* __restrict x, std::uint16_t* __restrict out,
                                std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) out[i] = to_bf16(x[i]);
}

BALLAST_KERNEL void from_bf16_all(const std::uint16_t* __restrict x, float* __restrict out,
                                  std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) out[i] = from_bf16(x[i]);
}

BALLAST_KERNEL void to_fp16_all(const float* __restrict x, std::uint16_t* __restrict out,
                                std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    out[i] = to_fp16(x[i]);
  }
}

BALLAST_KERNEL void from_fp16_all(const std::uint16_t* __restrict x, float* __restrict out,
                                  std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    out[i] = from_fp16(x[i]);
  }
}

template <class X, class Y>
BALLAST_INLINE void convert_of(const ElementOf<X>* __restrict x, ElementOf<Y>* __restrict out,
                               std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) out[i] = Y::store(X::load(x[i]));
}

BALLAST_KERNEL void convert_all(ElementType x_type, const void* x, ElementType out_type, void* out,
                                std::size_t count) {
  with_stored(x_type, [&](auto from) BALLAST_INLINE_LAMBDA {
    with_stored(out_type, [&](auto to) BALLAST_INLINE_LAMBDA {
      convert_of<decltype(from), decltype(to)>(elements(from, x), elements(to, out), count);
    });
  });
}

BALLAST_KERNEL void split_all(const float* __restrict master, std::uint16_t* __restrict high,
                              std::int16_t* __restrict low, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint16_t rounded = master_high(master[i]);
    high[i] = rounded;
    low[i] = master_low(master[i], rounded);
  }
}

BALLAST_KERNEL void join_all(const std::uint16_t* __restrict high,
                             const std::int16_t* __restrict low, float* __restrict master,
                             std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) master[i] = joined(high[i], low[i]);
}

BALLAST_KERNEL bool finite_all(const float* x, std::size_t count) {
  std::uint32_t largest = 0;
  for (std::size_t i = 0; i < count; ++i) {
    std::uint32_t bits = 0;
    __builtin_memcpy(&bits, x + i, sizeof bits);
    bits &= kMagnitudeBits;
    largest = bits > largest ? bits : largest;
  }
  return largest < kInfinityBits;
}

void narrow_piece(std::span<const float> x, const Elements& out) {
  switch (out.type()) {
    case ElementType::fp32:
      if (out.floats().data() != x.data()) std::memcpy(out.data(), x.data(), x.size_bytes());
      return;
    case ElementType::bf16:
      return to_bf16_all(x.data(), out.halves().data(), x.size());
    case ElementType::fp16:
      return to_fp16_all(x.data(), out.halves().data(), x.size());
  }
}

void convert_piece(const ConstElements& x, const Elements& out) {
  if (x.type() != out.type()) {
    convert_all(x.type(), x.data(), out.type(), out.data(), out.size());
  } else if (!x.empty()) {
    std::memcpy(out.data(), x.data(), x.bytes().size());
  }
}

void widen_piece(const ConstElements& x, std::span<float> out) {
  switch (x.type()) {
    case ElementType::fp32:
      if (x.floats().data() != out.data()) std::memcpy(out.data(), x.data(), out.size_bytes());
      return;
    case ElementType::bf16:
      return from_bf16_all(x.halves().data(), out.data(), out.size());
    case ElementType::fp16:
      return from_fp16_all(x.halves().data(), out.data(), out.size());
  }
}

}  // namespace

void narrow(std::span<const float> x, const Elements& out, Team* team) {
  for_elements(team, x.size(), [&](std::size_t first, std::size_t count) {
    narrow_piece(x.subspan(first, count), out.subspan(first, count));
  });
}

void convert(const ConstElements& x, const Elements& out, Team* team) {
  for_elements(team, out.size(), [&](std::size_t first, std::size_t count) {
    convert_piece(x.subspan(first, count), out.subspan(first, count));
  });
}

void widen(const ConstElements& x, std::span<float> out, Team* team) {
  for_elements(team, out.size(), [&](std::size_t first, std::size_t count) {
    widen_piece(x.subspan(first, count), out.subspan(first, count));
  });
}

void split_master(std::span<const float> master, std::span<std::uint16_t> high,
                  std::span<std::int16_t> low) {
  split_all(master.data(), high.data(), low.data(), master.size());
}

void join_master(std::span<const std::uint16_t> high, std::span<const std::int16_t> low,
                 std::span<float> master) {
  join_all(high.data(), low.data(), master.data(), master.size());
}

bool all_finite(std::span<const float> x) { return finite_all(x.data(), x.size()); }

}  // namespace ballast::kernels
