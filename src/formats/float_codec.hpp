#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "tensor/element.hpp"

namespace ballast::formats {

/// Little-endian elements, as files hold them, in fp32. Exact: each value of the three types is one
/// of fp32. (A NaN stays one.) bytes: [out.size() · size_of(type)].
void decode(ElementType type, std::span<const std::uint8_t> bytes, std::span<float> out);

/// The reverse, rounded to nearest, ties to even. bytes: [values.size() · size_of(type)]. Returns
/// the place of the first finite value that became an infinity, or nothing if none did.
[[nodiscard]] std::optional<std::size_t> encode(ElementType type, std::span<const float> values,
                                                std::span<std::uint8_t> bytes);

}  // namespace ballast::formats
