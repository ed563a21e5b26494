#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "data/vocabulary/next_text.hpp"

namespace ballast::data {

/// Sizes of vocabularies that can be trained: above the 256 bytes and the specials, up to a limit.
inline constexpr std::size_t kSmallestVocabulary = 288;
inline constexpr std::size_t kLargestVocabulary = 1'000'000;

/// Trains a SentencePiece model (byte-pair encoding; Sennrich et al. 2016, Kudo and Richardson
/// 2018) that loses nothing: byte fallback, no normalization, each line's end a symbol of its own.
/// The same text gives the same model. Holds all of the text in memory. A data Error if the text
/// cannot fill the vocabulary.
[[nodiscard]] std::vector<std::uint8_t> train_sentencepiece(std::size_t vocabulary,
                                                            const NextText& next);

}  // namespace ballast::data
