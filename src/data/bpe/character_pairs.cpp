#include "data/bpe/character_pairs.hpp"

#include "data/unicode/character_class.hpp"

namespace ballast::data {

void CharacterPairs::add(std::string_view piece) {
  if (piece.empty()) return;
  Character left = decode_character(piece);
  piece.remove_prefix(left.size);
  while (!piece.empty()) {
    const Character right = decode_character(piece);
    const std::size_t bit = bit_of(left.code, right.code);
    bits_[bit / 64] |= std::uint64_t{1} << (bit % 64);
    piece.remove_prefix(right.size);
    left = right;
  }
}

}  // namespace ballast::data
