#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace ballast::fuzz {

/// A kind of file that may come from anyone, and how the program reads it. `read` may throw an
/// Error, which is how such a file is refused; anything else that leaves it is a finding.
struct Format {
  std::string_view name;
  void (*read)(std::span<const std::uint8_t> bytes);
};

[[nodiscard]] std::span<const Format> formats();

}  // namespace ballast::fuzz
