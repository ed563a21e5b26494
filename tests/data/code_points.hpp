#pragma once

#include <cstdint>
#include <string>

namespace ballast::test {

/// The bytes of a code point by the pattern of UTF-8, whether or not it may be written.
inline std::string utf8_of(std::uint32_t code) {
  const auto tail = [&](int shift) { return static_cast<char>(0x80 | ((code >> shift) & 0x3F)); };
  const auto lead = [&](std::uint32_t mark, int shift) {
    return static_cast<char>(mark | (code >> shift));
  };
  if (code < 0x80) return {static_cast<char>(code)};
  if (code < 0x800) return {lead(0xC0, 6), tail(0)};
  if (code < 0x10000) return {lead(0xE0, 12), tail(6), tail(0)};
  return {lead(0xF0, 18), tail(12), tail(6), tail(0)};
}

}  // namespace ballast::test
