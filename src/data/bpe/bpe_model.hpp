#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "data/bpe/added_tokens.hpp"
#include "data/bpe/around_text.hpp"
#include "data/bpe/merges.hpp"
#include "data/bpe/piece.hpp"
#include "data/bpe/pre_tokenizer.hpp"

namespace ballast::data {

/// How a piece of text becomes tokens.
enum class WholePieces {
  merged,  ///< by merges, from bytes
  taken    ///< at once if the vocabulary has it, whatever the merges say (`ignore_merges`)
};

/// What becomes of a byte for which a vocabulary has no token. Most have one for every byte; others
/// lack those that no UTF-8 text has, and SmolLM2's some control characters.
using TokenOfMissingByte = std::optional<std::int32_t>;  ///< nullopt: nothing, the byte is lost

/// A byte-level BPE tokenizer, as a tokenizer.json describes it.
struct BpeModel {
  std::vector<Piece> pieces;  ///< by id
  std::vector<Merge> merges;  ///< by rank
  WholePieces whole_pieces = WholePieces::merged;
  TokenOfMissingByte missing_byte;  ///< `unk_token`
  Normalization normalization = Normalization::none;
  const PreTokenizer* pre_tokenizer = nullptr;  ///< one of known_pre_tokenizers()
  std::vector<AddedToken> added_tokens;
  AroundText around;
};

/// Reads the text of a tokenizer.json (format of the `tokenizers` package). Whatever the file says
/// is either done as that package does it, or refused by name in a data Error. `truncation` and
/// `padding` are about batches, not about what a text's tokens are: nothing is cut or padded.
/// Takes memory in proportion to the text, at most about 1 GiB for the largest that is accepted.
[[nodiscard]] BpeModel read_bpe_model(std::string_view json);
/// The same of what parse_tokenizer_json made of it.
[[nodiscard]] BpeModel bpe_model_of(const Json& json);

}  // namespace ballast::data
