#pragma once

#include <string>
#include <vector>

#include "data/vocabulary/piece_kind.hpp"

namespace ballast::data {

/// A token of a vocabulary.
struct VocabularyEntry {
  std::string text;  ///< in the spelling of the tokenizer's kind
  PieceKind kind = PieceKind::normal;
  float score = 0;  ///< of SentencePiece: the highest is merged first
};

/// How texts become tokens.
enum class TokenizerKind {
  byte_level_bpe,     ///< tokens are spelled in GPT-2's letters for bytes
  sentencepiece_bpe,  ///< characters, then bytes; a space is spelled U+2581
  unigram             ///< the same spelling
};

/// All that a tokenizer consists of, for a file of another format.
struct TokenizerContent {
  TokenizerKind kind = TokenizerKind::byte_level_bpe;
  std::string
      pre_tokenizer{};  ///< byte_level_bpe: "llama-bpe", "qwen2", as GGUF names it, or empty
  std::vector<VocabularyEntry> entries{};  ///< by id
  std::vector<std::string> merges{};       ///< byte_level_bpe: "a b", the first is merged first
  bool adds_space_prefix = false;          ///< a space before a text
};

}  // namespace ballast::data
