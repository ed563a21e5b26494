#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "data/vocabulary/tokenizer_content.hpp"

namespace ballast::data {

/// What a serialized SentencePiece model consists of.
struct SentencePieceModel {
  std::vector<VocabularyEntry> pieces{};  ///< by id, in the model's spelling: a space is U+2581
  TokenizerKind kind = TokenizerKind::unigram;
  bool adds_space_prefix = true;
};

/// Reads a serialized SentencePiece model before the library does, since the library trusts its
/// input. Throws a data Error if it is no such message, has more or longer pieces than useful
/// models have, or has tables of a normalizer: these would change text, and the library follows
/// their offsets unchecked.
[[nodiscard]] SentencePieceModel read_sentencepiece_model(std::span<const std::uint8_t> model);

/// Which pieces have a part in every text; -1 where there is no such piece.
struct SentencePieceIds {
  std::int32_t unknown = -1;
  std::int32_t bos = -1;
  std::int32_t eos = -1;
};
/// The reverse: such a model of pieces, with byte fallback and without a normalizer's tables.
[[nodiscard]] std::vector<std::uint8_t> sentencepiece_model_bytes(const SentencePieceModel& model,
                                                                  const SentencePieceIds& ids);

/// The same model, without a space before each text.
[[nodiscard]] std::vector<std::uint8_t> without_space_prefix(std::span<const std::uint8_t> model);

}  // namespace ballast::data
