#pragma once

#include <cstddef>
#include <span>

namespace ballast::fsdp {

/// Where fp32 values of these bytes lie once they are packed as bf16: in the last half.
template <class Byte>
[[nodiscard]] constexpr std::span<Byte> packed_bf16(std::span<Byte> fp32) {
  return fp32.last(fp32.size() / 2);
}

/// Rounds `values` to bf16 (to nearest, ties to even), packed in their own memory. Returns where.
[[nodiscard]] std::span<const std::byte> pack_bf16(std::span<float> values);

/// Widens what pack_bf16 has left, or a transfer has brought, in the same place.
void unpack_bf16(std::span<float> values);

/// Rounds `values` to what pack_bf16 would keep of them.
inline void round_to_bf16(std::span<float> values) {
  (void)pack_bf16(values);
  unpack_bf16(values);
}

}  // namespace ballast::fsdp
