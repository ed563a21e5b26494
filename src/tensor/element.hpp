#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>

#include "base/error.hpp"

namespace ballast {

/// What numbers are stored as. Arithmetic is always in fp32; the narrow types are for storage and
/// for the operands of matrix products.
enum class ElementType { fp32, bf16, fp16 };

[[nodiscard]] constexpr std::size_t size_of(ElementType type) {
  return type == ElementType::fp32 ? 4 : 2;
}

[[nodiscard]] constexpr std::string_view name_of(ElementType type) {
  switch (type) {
    case ElementType::bf16:
      return "bf16";
    case ElementType::fp16:
      return "fp16";
    default:
      return "fp32";
  }
}

/// A borrowed run of elements whose type is known at run time. `Byte` is std::byte or its const.
template <class Byte>
class BasicElements {
 public:
  using Float = std::conditional_t<std::is_const_v<Byte>, const float, float>;
  using Half = std::conditional_t<std::is_const_v<Byte>, const std::uint16_t, std::uint16_t>;

  BasicElements() = default;
  BasicElements(Byte* data, std::size_t size, ElementType type)
      : data_{data}, size_{size}, type_{type} {}
  template <class F>
  requires std::is_convertible_v<F (*)[], Float (*)[]> BasicElements(std::span<F> values)
      : data_{reinterpret_cast<Byte*>(values.data())}, size_{values.size()} {}
  BasicElements(const BasicElements<std::byte>& other) requires std::is_const_v<Byte>
      : data_{other.data()}, size_{other.size()}, type_{other.type()} {}
  BasicElements(const BasicElements&) = default;
  BasicElements& operator=(const BasicElements&) = default;

  [[nodiscard]] Byte* data() const { return data_; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::size_t size_bytes() const { return size_ * size_of(type_); }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] ElementType type() const { return type_; }
  [[nodiscard]] std::span<Byte> bytes() const { return {data_, size_ * size_of(type_)}; }

  [[nodiscard]] BasicElements subspan(std::size_t offset, std::size_t count) const {
    return {data_ + offset * size_of(type_), count, type_};
  }
  [[nodiscard]] BasicElements first(std::size_t count) const { return subspan(0, count); }

  /// The elements themselves, where they are fp32.
  [[nodiscard]] std::span<Float> floats() const {
    require(type_ == ElementType::fp32);
    return {reinterpret_cast<Float*>(data_), size_};
  }
  /// The bit patterns, where they are bf16 or fp16.
  [[nodiscard]] std::span<Half> halves() const {
    require(type_ != ElementType::fp32);
    return {reinterpret_cast<Half*>(data_), size_};
  }

 private:
  void require(bool fits) const {
    if (!fits) throw internal_error("elements of type {} are read as another", name_of(type_));
  }

  Byte* data_ = nullptr;
  std::size_t size_ = 0;
  ElementType type_ = ElementType::fp32;
};

using Elements = BasicElements<std::byte>;
using ConstElements = BasicElements<const std::byte>;

}  // namespace ballast
