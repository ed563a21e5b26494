#pragma once

#include <cstddef>
#include <string>

namespace ballast::data {

/// What a token is, in the words of GGUF's `tokenizer.ggml.token_type`.
enum class PieceKind {
  normal,
  unknown,       ///< stands for what no other token writes
  control,       ///< an added token that is special
  user_defined,  ///< another added token
  unused,        ///< no token has this id
  byte           ///< one byte of a character that has no token of its own
};

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
