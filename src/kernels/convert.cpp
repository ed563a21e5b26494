#include "kernels/convert.hpp"

#include <bit>
#include <cstddef>
#include <cstring>

#include "kernels/isa.hpp"

namespace ballast::kernels {

namespace {

constexpr std::uint32_t kInfinity = 0x7F800000u;
constexpr std::uint32_t kMagnitude = 0x7FFFFFFFu;

BALLAST_INLINE std::uint16_t to_bf16(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  const std::uint32_t rounded = (bits + 0x7FFFu + ((bits >> 16) & 1u)) >> 16;
  const std::uint32_t nan = (bits >> 16) | 0x40u;
  return static_cast<std::uint16_t>((bits & kMagnitude) > kInfinity ? nan : rounded);
}

BALLAST_INLINE float from_bf16(std::uint16_t x) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(x) << 16);
}

BALLAST_KERNEL void to_bf16_all(const float* x, std::uint16_t* out, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) out[i] = to_bf16(x[i]);
}

BALLAST_KERNEL void from_bf16_all(const std::uint16_t* x, float* out, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) out[i] = from_bf16(x[i]);
}

BALLAST_KERNEL void to_fp16_all(const float* x, std::uint16_t* out, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    out[i] = std::bit_cast<std::uint16_t>(static_cast<_Float16>(x[i]));
  }
}

BALLAST_KERNEL void from_fp16_all(const std::uint16_t* x, float* out, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    out[i] = static_cast<float>(std::bit_cast<_Float16>(x[i]));
  }
}

BALLAST_KERNEL void split_all(const float* master, std::uint16_t* high, std::int16_t* low,
                              std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    const auto bits = std::bit_cast<std::uint32_t>(master[i]);
    const auto rounded = static_cast<std::uint16_t>((bits + 0x8000u) >> 16);
    high[i] = rounded;
    low[i] = static_cast<std::int16_t>(bits - (static_cast<std::uint32_t>(rounded) << 16));
  }
}

BALLAST_KERNEL void join_all(const std::uint16_t* high, const std::int16_t* low, float* master,
                             std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    const auto bits =
        (static_cast<std::uint32_t>(high[i]) << 16) + static_cast<std::uint32_t>(low[i]);
    master[i] = std::bit_cast<float>(bits);
  }
}

BALLAST_KERNEL bool finite_all(const float* x, std::size_t count) {
  std::uint32_t largest = 0;
  for (std::size_t i = 0; i < count; ++i) {
    std::uint32_t bits;
    __builtin_memcpy(&bits, x + i, sizeof bits);
    bits &= kMagnitude;
    largest = bits > largest ? bits : largest;
  }
  return largest < kInfinity;
}

}  // namespace

void narrow(std::span<const float> x, Elements out) {
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

void widen(ConstElements x, std::span<float> out) {
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
