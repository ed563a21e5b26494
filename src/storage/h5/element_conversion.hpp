#pragma once

#include <concepts>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>
#include <utility>

#include "storage/h5/datatype.hpp"
#include "storage/h5/errors.hpp"

namespace ballast::storage::h5 {

template <class T>
inline constexpr bool kAlwaysFalse = false;

/// The stored type whose elements are those of T.
template <class T>
[[nodiscard]] constexpr ElementType element_type() {
  if constexpr (std::same_as<T, std::uint8_t>)
    return ElementType::u8;
  else if constexpr (std::same_as<T, std::uint16_t>)
    return ElementType::u16;
  else if constexpr (std::same_as<T, std::uint32_t>)
    return ElementType::u32;
  else if constexpr (std::same_as<T, std::uint64_t>)
    return ElementType::u64;
  else if constexpr (std::same_as<T, std::int32_t>)
    return ElementType::i32;
  else if constexpr (std::same_as<T, std::int64_t>)
    return ElementType::i64;
  else if constexpr (std::same_as<T, float>)
    return ElementType::f32;
  else if constexpr (std::same_as<T, double>)
    return ElementType::f64;
  else
    static_assert(kAlwaysFalse<T>, "no such elements are stored");
}

template <class From, class To>
void convert_each(Bytes bytes, std::span<To> out) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    From value;
    std::memcpy(&value, bytes.data() + i * sizeof(From), sizeof(From));
    if constexpr (std::is_integral_v<To>) {
      if (!std::in_range<To>(value)) {
        throw data_error("the value {} is beyond what is read there", value);
      }
    }
    out[i] = static_cast<To>(value);
  }
}

/// A data Error unless stored elements are of the kind of T: integers or floating-point numbers.
template <class T>
void require_kind(ElementType stored) {
  if (is_real(stored) == std::is_floating_point_v<T>) return;
  throw data_error("it holds another kind of element than {} numbers",
                   std::is_floating_point_v<T> ? "floating-point" : "integer");
}

/// Converts stored elements, lowest byte first, to those of `out`: integers to integers that can
/// hold their values, floating-point numbers to floating-point numbers. `bytes`: of out.size()
/// elements. Throws a data Error if the kinds differ or a value does not fit.
template <class To>
void convert(ElementType from, Bytes bytes, std::span<To> out) {
  require_kind<To>(from);
  if (bytes.size() != out.size() * size_of(from)) throw damaged("it has too few bytes");
  if (out.empty()) return;
  if (from == element_type<To>()) {
    std::memcpy(out.data(), bytes.data(), bytes.size());
    return;
  }
  if constexpr (std::is_floating_point_v<To>) {
    return from == ElementType::f32 ? convert_each<float>(bytes, out)
                                    : convert_each<double>(bytes, out);
  } else {
    switch (from) {
      case ElementType::u8:
        return convert_each<std::uint8_t>(bytes, out);
      case ElementType::u16:
        return convert_each<std::uint16_t>(bytes, out);
      case ElementType::u32:
        return convert_each<std::uint32_t>(bytes, out);
      case ElementType::u64:
        return convert_each<std::uint64_t>(bytes, out);
      case ElementType::i8:
        return convert_each<std::int8_t>(bytes, out);
      case ElementType::i16:
        return convert_each<std::int16_t>(bytes, out);
      case ElementType::i32:
        return convert_each<std::int32_t>(bytes, out);
      case ElementType::i64:
        return convert_each<std::int64_t>(bytes, out);
      case ElementType::f32:
      case ElementType::f64:
        return;  // were refused before
    }
  }
}

}  // namespace ballast::storage::h5
