#pragma once

#include <type_traits>

#include "base/error.hpp"

namespace ballast {

/// Converts between integer types; throws an internal Error if the value changes.
template <class To, class From>
requires std::is_integral_v<To> && std::is_integral_v<From>
[[nodiscard]] constexpr To checked_cast(From value) {
  const To result = static_cast<To>(value);
  if (static_cast<From>(result) != value || (result < To{}) != (value < From{})) {
    throw internal_error("the value {} does not fit its destination type", value);
  }
  return result;
}

}  // namespace ballast
