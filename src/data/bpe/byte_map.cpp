#include "data/bpe/byte_map.hpp"

#include "data/unicode/character_class.hpp"

namespace ballast::data {

namespace {

constexpr std::size_t kMapped = 0x100 + 68;  ///< code points below this may stand for a byte

constexpr bool stands_for_itself(unsigned byte) {
  return (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
}

constexpr std::array<char32_t, 256> make_code_points() {
  std::array<char32_t, 256> codes{};
  char32_t next = 0x100;
  for (unsigned byte = 0; byte < 256; ++byte) {
    codes[byte] = stands_for_itself(byte) ? static_cast<char32_t>(byte) : next++;
  }
  return codes;
}

constexpr std::array<char32_t, 256> kCodePoints = make_code_points();

constexpr std::array<int, kMapped> make_bytes() {
  std::array<int, kMapped> bytes{};
  bytes.fill(-1);
  for (std::size_t byte = 0; byte < 256; ++byte) bytes[kCodePoints[byte]] = static_cast<int>(byte);
  return bytes;
}

constexpr std::array<int, kMapped> kBytes = make_bytes();

}  // namespace

std::string to_byte_map(std::string_view bytes) {
  std::string piece;
  for (const char byte : bytes) append_utf8(kCodePoints[static_cast<unsigned char>(byte)], piece);
  return piece;
}

std::optional<std::string> from_byte_map(std::string_view piece) {
  std::string bytes;
  while (!piece.empty()) {
    const Character character = decode_character(piece);
    if (character.code >= kMapped || kBytes[character.code] < 0) return std::nullopt;
    bytes += static_cast<char>(kBytes[character.code]);
    piece.remove_prefix(character.size);
  }
  return bytes;
}

}  // namespace ballast::data
