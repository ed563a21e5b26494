#include "data/unicode/character_class.hpp"

#include "data/unicode/class_ranges.hpp"
#include "data/unicode/utf8.hpp"

namespace ballast::data {

namespace {

constexpr std::size_t kCodePoints = 0x110000;

}  // namespace

CharacterClasses::CharacterClasses() {
  classes_.reserve(kCodePoints);
  for (const ClassRange& range : class_ranges()) {
    classes_.insert(classes_.end(), range.count, range.classes);
  }
}

const CharacterClasses& CharacterClasses::table() {
  static const CharacterClasses kTable;
  return kTable;
}

Character CharacterClasses::before(std::string_view text, std::size_t end) const {
  return end == 0 ? Character{} : at(text, character_start(text, end - 1));
}

void append_utf8(char32_t code, std::string& text) {
  const auto tail = [code](int shift) {
    return static_cast<char>(0x80 | ((code >> shift) & 0x3F));
  };
  const auto lead = [code](char32_t mark, int shift) {
    return static_cast<char>(mark | (code >> shift));
  };
  if (code < 0x80) {
    text += static_cast<char>(code);
  } else if (code < 0x800) {
    text += {lead(0xC0, 6), tail(0)};
  } else if (code < 0x10000) {
    text += {lead(0xE0, 12), tail(6), tail(0)};
  } else {
    text += {lead(0xF0, 18), tail(12), tail(6), tail(0)};
  }
}

}  // namespace ballast::data
