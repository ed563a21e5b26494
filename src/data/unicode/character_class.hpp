#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ballast::data {

/// What the patterns of tokenizers ask of a character, as bits. The tables are those of the
/// `tokenizers` package, so that both cut a text in the same places: they are written by
/// tests/tokenizers/unicode_tables.py.
inline constexpr unsigned kLetter = 1;        ///< \p{L}
inline constexpr unsigned kMark = 2;          ///< \p{M}
inline constexpr unsigned kNumber = 4;        ///< \p{N}
inline constexpr unsigned kBlank = 8;         ///< \s
inline constexpr unsigned kUpper = 16;        ///< \p{Lu} and \p{Lt}
inline constexpr unsigned kLower = 32;        ///< \p{Ll}
inline constexpr unsigned kPunctuation = 64;  ///< \p{P}
inline constexpr unsigned kSymbol = 128;      ///< \p{S}
inline constexpr unsigned kDigit =
    256;  ///< what the pre-tokenizer Digits cuts out: \p{N} of a later Unicode
inline constexpr unsigned kWord =
    512;  ///< \w of the words that an added token may not be a part of
inline constexpr unsigned kNfcUnsafe =
    1024;  ///< NFC may change it, move it, or join it to the character before

/// One character of a well-formed UTF-8 text.
struct Character {
  char32_t code = 0;
  std::uint16_t classes = 0;
  std::uint8_t size = 0;  ///< bytes; 0 at the end of the text

  [[nodiscard]] bool is(unsigned any_of) const { return (classes & any_of) != 0; }
};

/// The classes of all code points. About 2 MiB; there is one, made when it is first asked for.
class CharacterClasses {
 public:
  [[nodiscard]] static const CharacterClasses& table();

  [[nodiscard]] std::uint16_t operator[](char32_t code) const { return classes_[code]; }

  /// The character that starts at byte `at` of a well-formed text; size 0 if the text ends there.
  [[nodiscard]] Character at(std::string_view text, std::size_t at) const;
  /// The character that ends before byte `end`; size 0 if `end` is 0.
  [[nodiscard]] Character before(std::string_view text, std::size_t end) const;

 private:
  CharacterClasses();

  std::vector<std::uint16_t> classes_;
};

/// The code point of the character at the start of a well-formed text that is not empty.
[[nodiscard]] inline Character decode_character(std::string_view text) {
  const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto tail = [byte](std::size_t i) { return static_cast<char32_t>(byte(i) & 0x3F); };
  const char32_t lead = byte(0);
  if (lead < 0x80) return {lead, 0, 1};
  if (lead < 0xE0) return {(lead & 0x1F) << 6 | tail(1), 0, 2};
  if (lead < 0xF0) return {(lead & 0x0F) << 12 | tail(1) << 6 | tail(2), 0, 3};
  return {(lead & 0x07) << 18 | tail(1) << 12 | tail(2) << 6 | tail(3), 0, 4};
}

/// Appends a code point's bytes in UTF-8.
void append_utf8(char32_t code, std::string& text);

inline Character CharacterClasses::at(std::string_view text, std::size_t at) const {
  if (at >= text.size()) return {};
  Character character = decode_character(text.substr(at));
  character.classes = classes_[character.code];
  return character;
}

}  // namespace ballast::data
