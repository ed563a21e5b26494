#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "tensor/arena.hpp"

namespace ballast {

/// Hands out memory of an arena a second time: bytes that their first owner does not need while the
/// second one does. What does not fit there is reserved anew.
class Reuse {
 public:
  explicit Reuse(Arena& arena) : arena_{&arena} {}

  /// `idle` may be handed out from now on, once. It must not overlap earlier ones.
  void lend(Arena::Extent idle);

  template <class T>
  [[nodiscard]] Arena::Slot<T> reserve(MemoryClass memory_class, std::size_t numel) {
    if (const auto offset = take(numel * sizeof(T))) return {*offset, numel};
    return arena_->reserve<T>(memory_class, numel);
  }
  [[nodiscard]] Arena::ElementSlot reserve(MemoryClass memory_class, std::size_t numel,
                                           ElementType type) {
    if (const auto offset = take(numel * size_of(type))) return {*offset, numel, type};
    return arena_->reserve(memory_class, numel, type);
  }

 private:
  [[nodiscard]] std::optional<std::size_t> take(std::size_t bytes);

  Arena* arena_;
  std::vector<Arena::Extent> idle_;
};

}  // namespace ballast
