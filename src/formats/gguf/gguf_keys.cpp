#include "formats/gguf/gguf_keys.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "base/error.hpp"
#include "base/text.hpp"
#include "formats/shortest_decimal.hpp"

namespace ballast::formats {

namespace {

constexpr std::uint64_t kMostWhole = std::numeric_limits<std::int32_t>::max();

/// The value, if it is a number of a whole type and not negative.
std::optional<std::uint64_t> whole_of(const GgufValue& value) {
  return std::visit(
      [](const auto& one) -> std::optional<std::uint64_t> {
        using Type = std::remove_cvref_t<decltype(one)>;
        if constexpr (std::is_integral_v<Type> && !std::is_same_v<Type, bool>) {
          if (one >= 0) return static_cast<std::uint64_t>(one);
        }
        return std::nullopt;
      },
      value);
}

/// As messages quote it.
std::string shown(const GgufValue& value) {
  return std::visit(
      [&](const auto& one) {
        using Type = std::remove_cvref_t<decltype(one)>;
        if constexpr (std::is_same_v<Type, std::string>) {
          return fmt::format("'{}'", excerpt(one));
        } else if constexpr (std::is_same_v<Type, GgufArray>) {
          return std::string{gguf_type_name(value)};
        } else {
          return fmt::format("{}", one);
        }
      },
      value);
}

}  // namespace

const GgufValue* GgufKeys::find(std::string_view key) const {
  const auto found = std::ranges::find(*metadata_, key, &GgufEntry::key);
  return found == metadata_->end() ? nullptr : &found->value;
}

std::string GgufKeys::place(std::string_view key) const {
  return fmt::format("{}: {}", file_->string(), key);
}

void GgufKeys::refuse(std::string_view key, std::string_view why) const {
  const GgufValue* const value = find(key);
  throw data_error("{} = {} {}", place(key), value == nullptr ? "(absent)" : shown(*value), why);
}

std::size_t GgufKeys::whole(std::string_view key, std::size_t fallback) const {
  const GgufValue* const value = find(key);
  if (value == nullptr) return fallback;
  const auto number = whole_of(*value);
  if (!number || *number > kMostWhole) refuse(key, "is no whole number from 0 to 2^31 - 1");
  return *number;
}

std::size_t GgufKeys::size(std::string_view key, std::size_t most) const {
  if (!has(key)) {
    throw data_error("{} is missing: no size of the model can be guessed", place(key));
  }
  const std::size_t value = whole(key, 0);
  if (value == 0 || value > most) refuse(key, fmt::format("is not from 1 to {}", most));
  return value;
}

double GgufKeys::number(std::string_view key, double fallback) const {
  const GgufValue* const value = find(key);
  if (value == nullptr) return fallback;
  double number = std::numeric_limits<double>::quiet_NaN();
  if (const auto* const single = std::get_if<float>(value)) number = shortest_decimal(*single);
  if (const auto* const wide = std::get_if<double>(value)) number = *wide;
  if (!std::isfinite(number)) refuse(key, "is no number");
  return number;
}

bool GgufKeys::boolean(std::string_view key, bool fallback) const {
  const GgufValue* const value = find(key);
  if (value == nullptr) return fallback;
  const auto* const boolean = std::get_if<bool>(value);
  if (boolean == nullptr) refuse(key, "is neither true nor false");
  return *boolean;
}

std::string GgufKeys::text(std::string_view key, std::string_view fallback) const {
  const GgufValue* const value = find(key);
  if (value == nullptr) return std::string{fallback};
  const auto* const text = std::get_if<std::string>(value);
  if (text == nullptr) refuse(key, "is no text");
  return *text;
}

std::optional<std::int32_t> GgufKeys::id(std::string_view key) const {
  const GgufValue* const value = find(key);
  if (value == nullptr) return std::nullopt;
  const auto number = whole_of(*value);
  if (!number || *number > kMostWhole) return std::nullopt;
  return static_cast<std::int32_t>(*number);
}

}  // namespace ballast::formats
