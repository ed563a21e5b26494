#include "data/bpe/piece_cache.hpp"

#include <algorithm>
#include <cstring>

namespace ballast::data {

PieceCache::PieceCache() : slots_(std::size_t{1} << kBits) {}

/// Multiplies and folds eight bytes at a time; equal pieces go to equal places, nothing more.
std::size_t PieceCache::slot_of(std::string_view piece) {
  std::uint64_t hash = piece.size();
  while (!piece.empty()) {
    std::uint64_t word = 0;
    const std::size_t size = std::min(piece.size(), sizeof word);
    std::memcpy(&word, piece.data(), size);
    piece.remove_prefix(size);
    hash = (hash ^ word) * 0x9E3779B97F4A7C15u;
    hash ^= hash >> 32;
  }
  return static_cast<std::size_t>((hash * 0x9E3779B97F4A7C15u) >> (64 - kBits));
}

std::optional<std::span<const std::int32_t>> PieceCache::find(std::string_view piece) const {
  if (piece.size() > kPieceBytes) return std::nullopt;
  const Slot& slot = slots_[slot_of(piece)];
  if (slot.size != piece.size() ||
      std::memcmp(slot.piece.data(), piece.data(), piece.size()) != 0) {
    return std::nullopt;
  }
  return std::span{slot.tokens}.first(slot.count);
}

void PieceCache::keep(std::string_view piece, std::span<const std::int32_t> tokens) {
  if (piece.empty() || piece.size() > kPieceBytes || tokens.size() > kTokens) return;
  Slot& slot = slots_[slot_of(piece)];
  slot.size = static_cast<std::uint8_t>(piece.size());
  slot.count = static_cast<std::uint8_t>(tokens.size());
  std::memcpy(slot.piece.data(), piece.data(), piece.size());
  std::ranges::copy(tokens, slot.tokens.begin());
}

}  // namespace ballast::data
