#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

#include "kernels/convert.hpp"
#include "kernels/panel/panel_kernel.hpp"

namespace ballast::kernels {

using PackFloats = void (*)(const PanelSource& source, float* panels);

/// Packs a source of any type into panels of fp32, [depth, width] each: narrow ones in pieces that
/// are widened next to the processor first.
inline void pack_as_floats(const PanelSource& source, std::size_t width, PackFloats pack,
                           float* panels) {
  if (source.type == ElementType::fp32) return pack(source, panels);
  constexpr std::size_t kWidest = 32;
  constexpr std::size_t kDepth = 64;
  float values[kWidest * kDepth];
  const bool along = source.neighbors == Neighbors::along_depth;
  for (std::size_t first = 0; first < source.count; first += width) {
    const std::size_t count = std::min(width, source.count - first);
    for (std::size_t k = 0; k < source.depth; k += kDepth) {
      const std::size_t depth = std::min(kDepth, source.depth - k);
      const std::size_t rows = along ? count : depth;
      const std::size_t cols = along ? depth : count;
      const std::size_t start = along ? first * source.stride + k : k * source.stride + first;
      for (std::size_t r = 0; r < rows; ++r) {
        const std::byte* row = source.data + (start + r * source.stride) * size_of(source.type);
        widen({row, cols, source.type}, std::span{values + r * cols, cols});
      }
      pack({reinterpret_cast<const std::byte*>(values), cols, count, depth, source.neighbors},
           panels + first * source.depth + k * width);
    }
  }
}

}  // namespace ballast::kernels
