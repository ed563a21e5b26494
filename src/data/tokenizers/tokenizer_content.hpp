#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace ballast::data {

/// What a token of a vocabulary is.
enum class PieceKind : std::uint8_t {
  normal,
  unknown,       ///< stands for what no other token writes
  control,       ///< begins, ends or frames texts, and writes nothing
  user_defined,  ///< a text that is always one token
  unused,
  byte  ///< one byte of a character that has no token of its own
};

struct Piece {
  std::string text;  ///< in the rule's own spelling
  PieceKind kind = PieceKind::normal;
  float score = 0;  ///< of SentencePiece: the highest is merged first
};

/// How texts become pieces.
enum class PieceRule {
  byte_level,    ///< byte pairs; pieces are spelled in GPT-2's letters for bytes
  sentencepiece  ///< characters, then bytes; a space is spelled U+2581
};

/// All that a tokenizer consists of, for a file of another format.
struct TokenizerContent {
  PieceRule rule = PieceRule::byte_level;
  std::string pre_tokenizer{};        ///< byte_level: "llama-bpe", "qwen2", as GGUF names them
  std::vector<Piece> pieces{};        ///< by id
  std::vector<std::string> merges{};  ///< byte_level: "a b", the first is merged first
  bool adds_space_prefix = false;     ///< a space before a text
};

}  // namespace ballast::data
