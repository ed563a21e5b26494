#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "kernels/convert.hpp"
#include "kernels/values.hpp"
#include "tensor/element.hpp"

namespace ballast::kernels {

inline constexpr std::array kEveryType{ElementType::fp32, ElementType::bf16, ElementType::fp16};

/// Elements of any type with memory of their own.
class Typed {
 public:
  /// NaNs: they show wherever they are left or read.
  Typed(std::size_t size, ElementType type) : Typed{not_numbers(size), type} {}
  /// `values`, rounded.
  Typed(const std::vector<float>& values, ElementType type)
      : memory_(values.size() * size_of(type)), size_{values.size()}, type_{type} {
    narrow(values, elements());
  }

  [[nodiscard]] Elements elements() { return {memory_.data(), size_, type_}; }
  [[nodiscard]] ConstElements elements() const { return {memory_.data(), size_, type_}; }
  operator Elements() { return elements(); }
  operator ConstElements() const { return elements(); }

  [[nodiscard]] std::vector<float> values() const {
    std::vector<float> wide(size_);
    widen(elements(), wide);
    return wide;
  }
  [[nodiscard]] std::span<const std::byte> bytes() const { return memory_; }

 private:
  std::vector<std::byte> memory_;
  std::size_t size_;
  ElementType type_;
};

/// `values` rounded to `type` and widened again.
[[nodiscard]] inline std::vector<float> rounded_values(const std::vector<float>& values,
                                                       ElementType type) {
  return Typed{values, type}.values();
}

}  // namespace ballast::kernels
