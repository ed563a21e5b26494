#pragma once

#include <cstdint>
#include <span>

namespace ballast::data {

/// A run of code points with the same classes.
struct ClassRange {
  std::uint32_t count;
  std::uint16_t classes;  ///< bits of data/unicode/character_class.hpp
};

/// All code points from 0 to 0x10FFFF, run after run.
[[nodiscard]] std::span<const ClassRange> class_ranges();

}  // namespace ballast::data
