#include "fsdp/bf16_in_place.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "kernels/convert.hpp"

namespace ballast::fsdp {

namespace {

/// Values that pass through a buffer of their own, since source and result overlap.
constexpr std::size_t kBlock = 2048;
using Block = std::array<std::uint16_t, kBlock>;

Elements first_of(Block& block, std::size_t count) {
  return {reinterpret_cast<std::byte*>(block.data()), count, ElementType::bf16};
}

}  // namespace

// The packed values end where the fp32 values end. So the packed value of any element lies behind
// the fp32 value, or at its end: packing goes from the last element to the first, unpacking from
// the first to the last, and neither overwrites what is still to be read.

std::span<const std::byte> pack_bf16(std::span<float> values) {
  const auto packed = packed_bf16(std::as_writable_bytes(values));
  Block block;
  for (std::size_t end = values.size(); end > 0;) {
    const std::size_t first = end - std::min(kBlock, end);
    const std::size_t count = end - first;
    kernels::narrow(values.subspan(first, count), first_of(block, count));
    std::memcpy(packed.data() + first * sizeof(std::uint16_t), block.data(),
                count * sizeof(std::uint16_t));
    end = first;
  }
  return packed;
}

void unpack_bf16(std::span<float> values) {
  const auto packed = packed_bf16(std::as_bytes(values));
  Block block;
  for (std::size_t first = 0; first < values.size(); first += kBlock) {
    const std::size_t count = std::min(kBlock, values.size() - first);
    std::memcpy(block.data(), packed.data() + first * sizeof(std::uint16_t),
                count * sizeof(std::uint16_t));
    kernels::widen(first_of(block, count), values.subspan(first, count));
  }
}

}  // namespace ballast::fsdp
