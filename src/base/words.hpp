#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace ballast {

/// An enumerator, and the word that stands for it on command lines, in files and in logs.
template <class Enum>
struct Word {
  Enum value;
  std::string_view word;
};

/// Selects the table of an enumeration. Each enumeration that users write has, next to it,
///   constexpr auto words_of(EnumTag<Enum>) { return std::to_array<Word<Enum>>({...}); }
/// with its enumerators in the order in which the help shows them.
template <class Enum>
struct EnumTag {};

constexpr auto words_of(EnumTag<bool>) {
  return std::to_array<Word<bool>>({{true, "true"}, {false, "false"}});
}

/// All words of an enumeration: name_of, options and parsing read this one table.
template <class Enum>
[[nodiscard]] constexpr auto names() {
  return words_of(EnumTag<Enum>{});
}

/// The word of a value; "?" for one that is no enumerator.
template <class Enum>
[[nodiscard]] constexpr std::string_view word_of(Enum value) {
  for (const auto& row : names<Enum>()) {
    if (row.value == value) return row.word;
  }
  return "?";
}

/// The value that a word stands for, or nothing.
template <class Enum>
[[nodiscard]] constexpr std::optional<Enum> value_of(std::string_view word) {
  for (const auto& row : names<Enum>()) {
    if (row.word == word) return row.value;
  }
  return std::nullopt;
}

/// The table of an enumeration whose words are those of a name_of beside it.
template <class Enum, std::size_t N>
[[nodiscard]] constexpr std::array<Word<Enum>, N> words_by_name(const Enum (&values)[N]) {
  std::array<Word<Enum>, N> words{};
  std::transform(values, values + N, words.begin(), [](Enum value) {
    return Word<Enum>{value, name_of(value)};
  });
  return words;
}

}  // namespace ballast
