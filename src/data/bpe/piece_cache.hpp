#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace ballast::data {

/// Remembers the tokens of short pieces of text, most of which come again and again. Of a fixed
/// size, 4 MiB: a piece takes the place of another one.
class PieceCache {
 public:
  PieceCache();

  /// The tokens of a piece, until the next call of `keep`; nullopt if they are not known.
  [[nodiscard]] std::optional<std::span<const std::int32_t>> find(std::string_view piece) const;
  /// Keeps what fits: pieces of at most 30 bytes and 8 tokens.
  void keep(std::string_view piece, std::span<const std::int32_t> tokens);

 private:
  static constexpr std::size_t kPieceBytes = 30;
  static constexpr std::size_t kTokens = 8;
  static constexpr int kBits = 16;

  struct alignas(64) Slot {
    std::array<char, kPieceBytes> piece{};
    std::uint8_t size = 0;  ///< 0: empty
    std::uint8_t count = 0;
    std::array<std::int32_t, kTokens> tokens{};
  };
  static_assert(sizeof(Slot) == 64);

  [[nodiscard]] static std::size_t slot_of(std::string_view piece);

  std::vector<Slot> slots_;
};

}  // namespace ballast::data
