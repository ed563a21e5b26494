#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace ballast::data {

/// Which characters stand side by side within a token. Where two that never do meet in a text, no
/// token reaches over, so that the text may be cut there. A table of bits: it may say of a pair
/// that it does, though it does not, never the other way round.
class CharacterPairs {
 public:
  CharacterPairs() : bits_((std::size_t{1} << kBits) / 64) {}

  /// Takes in the pairs of a token's text, well-formed UTF-8.
  void add(std::string_view piece);
  [[nodiscard]] bool may_have(char32_t left, char32_t right) const {
    const std::size_t bit = bit_of(left, right);
    return (bits_[bit / 64] >> (bit % 64) & 1) != 0;
  }

 private:
  static constexpr int kBits = 22;

  static std::size_t bit_of(char32_t left, char32_t right) {
    const std::uint64_t pair = std::uint64_t{left} << 21 | right;
    return static_cast<std::size_t>((pair * 0x9E3779B97F4A7C15u) >> (64 - kBits));
  }

  std::vector<std::uint64_t> bits_;
};

}  // namespace ballast::data
