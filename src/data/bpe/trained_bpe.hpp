#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "data/bpe/merges.hpp"
#include "data/bpe/pre_tokenizer.hpp"

namespace ballast::data {

/// What training of byte-level BPE leads to.
struct TrainedBpe {
  std::vector<std::string> pieces;  ///< in the byte map, by id
  std::vector<Merge> merges;        ///< by rank
};

inline constexpr std::string_view kBeginOfText = "<|begin_of_text|>";
inline constexpr std::string_view kEndOfText = "<|end_of_text|>";

/// The text of a tokenizer.json that the `tokenizers` package and read_bpe_model open. The two
/// special tokens above get the ids behind all pieces. `pre_tokenizer` is one with a pattern.
[[nodiscard]] std::string json_of(const TrainedBpe& trained, const PreTokenizer& pre_tokenizer);

}  // namespace ballast::data
