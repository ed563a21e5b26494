#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "data/bpe/added_tokens.hpp"
#include "data/bpe/character_bpe_model.hpp"
#include "data/bpe/character_pairs.hpp"
#include "data/bpe/merges.hpp"
#include "data/bpe/piece_cache.hpp"

namespace ballast::data {

/// BPE over characters from a tokenizer.json, with the tokens that the `tokenizers` package gives.
/// One thread at a time.
class CharacterBpe {
 public:
  /// Where the text begins that a part is of: with the part, or before it.
  enum class Beginning { here, before };

  explicit CharacterBpe(CharacterBpeModel model);

  [[nodiscard]] const CharacterBpeModel& model() const { return model_; }

  /// The tokens of a text or a part of it, without those around it. Added tokens are recognized,
  /// special ones too. Throws a data Error with the byte offset where `text` is not UTF-8.
  [[nodiscard]] std::vector<std::int32_t> encode(std::string_view text,
                                                 Beginning beginning = Beginning::here);

  /// The bytes that tokens stand for, as the file's decoder has them: special tokens for none, and
  /// the space before a text is gone where the file says so. Throws a data Error that names a token
  /// outside the vocabulary.
  [[nodiscard]] std::string decode(std::span<const std::int32_t> tokens) const;
  /// The bytes of one token, wherever it stands.
  [[nodiscard]] std::string_view bytes_of(std::int32_t token) const;

  /// Where a text may be cut in two: the tokens of the first part and those of the second, which
  /// begins before, are those of the whole, even if it goes on behind what is seen of it. The last
  /// such place within the first `most` bytes, else the first one beyond, else 0. `text` is
  /// well-formed UTF-8. It lies where no token reaches over, away from added tokens.
  [[nodiscard]] std::size_t cut(std::string_view text, std::size_t most = kCutBytes) const;

  static constexpr std::size_t kCutBytes = 16384;

 private:
  using Tokens = std::vector<std::int32_t>;
  /// Where a stretch between added tokens stands.
  enum class Place {
    beginning,     ///< of the text
    continuation,  ///< of a stretch that another part of the text begins
    behind_token
  };

  void append_stretch(std::string_view text, Place place, Tokens& tokens);
  [[nodiscard]] std::string marked(std::string_view text, Place place) const;
  void append_pieces(std::string_view text, Tokens& tokens);
  void append_piece(std::string_view piece, Tokens& tokens);
  [[nodiscard]] bool ends_between(char32_t left, char32_t right) const;
  [[nodiscard]] bool may_cut(std::string_view text, std::size_t at) const;

  CharacterBpeModel model_;
  Merges merges_;
  CharacterPairs pairs_;  ///< within tokens that are merged
  AddedTokenFinder raw_tokens_;
  AddedTokenFinder normalized_tokens_;
  AddedTokenFinder marked_tokens_;  ///< all, with marks for spaces: texts are not cut near them
  std::unordered_map<char32_t, std::int32_t> characters_;  ///< those with a token of their own
  std::vector<std::string> bytes_;  ///< of each token; empty for special ones
  PieceCache cache_;
  Tokens merged_;  ///< of the piece at hand
};

}  // namespace ballast::data
