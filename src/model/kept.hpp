#pragma once

#include <span>

#include "kernels/convert.hpp"
#include "tensor/element.hpp"

namespace ballast::model {

/// `x` in fp32: the elements themselves where they are, otherwise a copy in `room`.
[[nodiscard]] inline std::span<const float> widened(const ConstElements& x, std::span<float> room) {
  if (x.type() == ElementType::fp32) return x.floats();
  const auto copy = room.first(x.size());
  kernels::widen(x, copy);
  return copy;
}

/// `x` as a matrix product of room.type() reads it: itself where that is fp32, otherwise a rounded
/// copy in `room`.
[[nodiscard]] inline ConstElements rounded(std::span<const float> x, const Elements& room) {
  if (room.type() == ElementType::fp32) return x;
  const Elements copy = room.first(x.size());
  kernels::narrow(x, copy);
  return copy;
}

/// What is kept of one tensor, in whatever type. Kernels compute in fp32: they write to `draft` and
/// `keep` rounds it; they read `recall`. In fp32 the kept memory itself is draft and recollection,
/// and nothing is copied. The `room` given to them is not read or written then, and may be empty.
class Kept {
 public:
  Kept() = default;
  explicit Kept(const Elements& elements) : elements_{elements} {}

  [[nodiscard]] std::size_t size() const { return elements_.size(); }
  [[nodiscard]] ElementType type() const { return elements_.type(); }
  [[nodiscard]] std::size_t bytes() const { return elements_.bytes().size(); }

  [[nodiscard]] std::span<float> draft(std::span<float> room) const {
    return type() == ElementType::fp32 ? elements_.floats() : room.first(size());
  }
  void keep(std::span<const float> draft) const { kernels::narrow(draft, elements_); }
  [[nodiscard]] std::span<const float> recall(std::span<float> room) const {
    return widened(elements_, room);
  }
  /// As a matrix product reads it.
  [[nodiscard]] ConstElements operand() const { return elements_; }
  /// The memory itself, where it is always fp32.
  [[nodiscard]] std::span<float> floats() const { return elements_.floats(); }

 private:
  Elements elements_;
};

}  // namespace ballast::model
