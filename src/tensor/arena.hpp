#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "tensor/element.hpp"

namespace ballast {

/// Every view an arena hands out starts on a multiple of this many bytes.
inline constexpr std::size_t kAlignment = 128;

[[nodiscard]] constexpr std::size_t aligned_size(std::size_t bytes) {
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

/// What a stretch of memory is for; the log reports bytes by class.
enum class MemoryClass {
  parameters,
  gradients,
  optimizer,
  transient,
  activations,
  scratch,
  monitor
};

[[nodiscard]] std::string_view name_of(MemoryClass memory_class);

/// Anonymous, zeroed memory that asks for huge pages; unmapped on destruction.
/// Pages that were never touched cost nothing.
class Mapping {
 public:
  Mapping() = default;
  explicit Mapping(std::size_t bytes);
  ~Mapping();
  Mapping(Mapping&& other) noexcept;
  Mapping& operator=(Mapping&& other) noexcept;
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  [[nodiscard]] std::span<std::byte> bytes() const { return {data_, size_}; }

 private:
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

/// One planned block of memory per rank. First every owner reserves what it
/// will need, then `commit` maps it all at once, then the views are handed out;
/// nothing is allocated in a training step.
class Arena {
 public:
  /// A promise of `numel` elements, redeemed by `view` after `commit`.
  template <class T>
  struct Slot {
    std::size_t offset = 0;
    std::size_t numel = 0;
  };

  template <class T>
  [[nodiscard]] Slot<T> reserve(MemoryClass memory_class, std::size_t numel) {
    static_assert(std::is_trivially_copyable_v<T>);
    return {reserve_bytes(memory_class, numel * sizeof(T)), numel};
  }

  /// A run of its bytes.
  struct Extent {
    std::size_t offset = 0;
    std::size_t bytes = 0;

    [[nodiscard]] std::size_t end() const { return offset + bytes; }
    friend bool operator==(const Extent&, const Extent&) = default;
  };

  /// The same for elements whose type is known at run time.
  struct ElementSlot {
    std::size_t offset = 0;
    std::size_t numel = 0;
    ElementType type = ElementType::fp32;
  };
  [[nodiscard]] ElementSlot reserve(MemoryClass memory_class, std::size_t numel, ElementType type) {
    return {reserve_bytes(memory_class, numel * size_of(type)), numel, type};
  }

  /// Maps what was reserved.
  void commit();
  /// Puts what was reserved into memory that someone else owns, of planned_bytes() at least.
  void commit(std::span<std::byte> memory);

  template <class T>
  [[nodiscard]] std::span<T> view(Slot<T> slot) const {
    return {reinterpret_cast<T*>(bytes_at(slot.offset, slot.numel * sizeof(T))), slot.numel};
  }
  [[nodiscard]] Elements view(ElementSlot slot) const {
    return {bytes_at(slot.offset, slot.numel * size_of(slot.type)), slot.numel, slot.type};
  }

  [[nodiscard]] std::size_t planned_bytes() const { return size_; }
  /// What was reserved since planned_bytes() was `start`.
  [[nodiscard]] Extent reserved_since(std::size_t start) const { return {start, size_ - start}; }
  [[nodiscard]] std::size_t planned_bytes(MemoryClass memory_class) const;

 private:
  std::size_t reserve_bytes(MemoryClass memory_class, std::size_t bytes);
  [[nodiscard]] std::byte* bytes_at(std::size_t offset, std::size_t bytes) const;

  Mapping mapping_;
  std::span<std::byte> memory_;  ///< the mapping, or someone else's
  std::size_t size_ = 0;
  std::vector<std::pair<MemoryClass, std::size_t>> by_class_;
  bool committed_ = false;
};

}  // namespace ballast
