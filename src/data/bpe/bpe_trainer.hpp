#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "data/vocabulary/next_text.hpp"

namespace ballast::data {

/// The tokens that begin and end texts.
inline constexpr std::string_view kBeginOfText = "<|begin_of_text|>";
inline constexpr std::string_view kEndOfText = "<|end_of_text|>";

/// Trains byte-level BPE (Sennrich, Haddow, Birch 2016) on the pieces that Llama 3's pre-tokenizer
/// cuts, and returns the text of a tokenizer.json: the 256 bytes, then merges, then
/// <|begin_of_text|> and <|end_of_text|>, ids without gaps. Its post-processor puts
/// <|begin_of_text|> before a text, as generation does.
///
/// Again and again the pair that is most frequent becomes a token, of equally frequent ones the one
/// of smaller ids: the same text gives the same tokenizer, however it is cut into stretches between
/// documents, and the merges are those of the trainer of the `tokenizers` package. Pieces of more
/// than 1 KiB, which are no words, do not count. Holds every different piece once in memory.
///
/// Throws a data Error if the text is not UTF-8, with the byte offset in its stretch, or if it has
/// too few pairs to fill `vocabulary`, and a usage Error if that is below 259 or above 2^20.
[[nodiscard]] std::string train_bpe(std::size_t vocabulary, const NextText& next);

}  // namespace ballast::data
