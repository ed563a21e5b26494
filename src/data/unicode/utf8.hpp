#pragma once

#include <cstddef>
#include <string_view>

namespace ballast::data {

/// The well-formed start of a UTF-8 text (Unicode 15, table 3-7: no surrogates, no overlong forms).
struct Utf8Check {
  std::size_t valid = 0;    ///< bytes of whole, well-formed characters from the start
  bool unfinished = false;  ///< what follows could become a character if more bytes came
};
[[nodiscard]] Utf8Check check_utf8(std::string_view text);

/// A data Error that names the byte unless all of `text` is UTF-8.
void require_utf8(std::string_view text);

/// The start of the character that byte `at` of a valid text belongs to; the text's size stays.
[[nodiscard]] std::size_t character_start(std::string_view text, std::size_t at);

}  // namespace ballast::data
