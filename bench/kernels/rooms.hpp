#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/convert.hpp"
#include "tensor/arena.hpp"
#include "tensor/element.hpp"

namespace ballast::bench {

/// Calls between two uses of the same memory: as in a training step, what a kernel reads has left
/// the caches since it was last touched, but for a large last level's.
inline constexpr std::size_t kTurns = 8;

/// Memory of one argument of a kernel, in kTurns copies that are used in turn; mapped as a rank's
/// arena is.
class Room {
 public:
  Room(std::size_t size, ElementType type, float range = 1.0f)
      : memory_{kTurns * size * size_of(type)}, size_{size}, type_{type} {
    std::vector<float> values(size);
    std::uint32_t state = 1;
    for (float& value : values) {
      state = state * 1664525u + 1013904223u;
      value = (static_cast<float>(state >> 8) * 0x1p-24f - 0.5f) * 2.0f * range;
    }
    for (std::size_t turn = 0; turn < kTurns; ++turn) kernels::narrow(values, at(turn));
  }

  [[nodiscard]] Elements at(std::size_t turn) const {
    return Elements{memory_.bytes().data(), kTurns * size_, type_}.subspan(turn % kTurns * size_,
                                                                           size_);
  }
  [[nodiscard]] std::span<float> floats(std::size_t turn) const { return at(turn).floats(); }
  /// Bytes of one copy.
  [[nodiscard]] double bytes() const { return static_cast<double>(size_ * size_of(type_)); }

 private:
  Mapping memory_;
  std::size_t size_;
  ElementType type_;
};

}  // namespace ballast::bench
