#include "data/unicode/utf8.hpp"

#include <cstdint>
#include <cstring>

#include "base/error.hpp"

namespace ballast::data {

namespace {

/// What may follow a lead byte: how many bytes, and the range of the first of them.
struct Lead {
  std::size_t size = 0;  ///< of the whole character; 0: no character starts so
  unsigned char low = 0x80;
  unsigned char high = 0xBF;
};

Lead lead_of(unsigned char byte) {
  if (byte < 0x80) return {1};
  if (byte < 0xC2) return {0};
  if (byte < 0xE0) return {2};
  if (byte == 0xE0) return {3, 0xA0, 0xBF};
  if (byte == 0xED) return {3, 0x80, 0x9F};
  if (byte < 0xF0) return {3};
  if (byte == 0xF0) return {4, 0x90, 0xBF};
  if (byte < 0xF4) return {4};
  if (byte == 0xF4) return {4, 0x80, 0x8F};
  return {0};
}

/// How many of the bytes at the start of `text` fit the character that they begin.
std::size_t matching(std::string_view text, Lead lead) {
  std::size_t count = 1;
  for (; count < lead.size && count < text.size(); ++count) {
    const auto byte = static_cast<unsigned char>(text[count]);
    const bool fits = count == 1 ? byte >= lead.low && byte <= lead.high : (byte & 0xC0) == 0x80;
    if (!fits) break;
  }
  return count;
}

bool eight_ascii(const char* text) {
  std::uint64_t word = 0;
  std::memcpy(&word, text, sizeof word);
  return (word & 0x8080808080808080u) == 0;
}

}  // namespace

Utf8Check check_utf8(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    if (at + 8 <= text.size() && eight_ascii(text.data() + at)) {
      at += 8;
      continue;
    }
    const Lead lead = lead_of(static_cast<unsigned char>(text[at]));
    if (lead.size == 0) return {at, false};
    const std::size_t fits = matching(text.substr(at), lead);
    if (fits < lead.size) return {at, at + fits == text.size()};
    at += lead.size;
  }
  return {at, false};
}

void require_utf8(std::string_view text) {
  const Utf8Check check = check_utf8(text);
  if (check.valid == text.size()) return;
  throw data_error("the text is not UTF-8 at byte {} (0x{:02x})", check.valid,
                   static_cast<unsigned char>(text[check.valid]));
}

std::size_t character_start(std::string_view text, std::size_t at) {
  if (at >= text.size()) return text.size();
  while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) --at;
  return at;
}

}  // namespace ballast::data
