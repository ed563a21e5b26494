#pragma once

#include <cstddef>
#include <string>

#include "data/vocabulary/piece_kind.hpp"

namespace ballast::data {

/// Where a file has a token; `vocabulary` if it is in both.
enum class PieceOrigin { vocabulary, added_tokens };

/// A token as a file writes it.
struct Piece {
  std::string text;  ///< in the byte map, but for added tokens
  PieceKind kind = PieceKind::unused;
  PieceOrigin origin = PieceOrigin::vocabulary;
};

/// Ids of the largest vocabulary.
inline constexpr std::size_t kLargestBpeVocabulary = std::size_t{1} << 20;

}  // namespace ballast::data
