#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/bpe/added_tokens.hpp"
#include "data/bpe/bpe_model.hpp"
#include "data/bpe/piece_encoder.hpp"
#include "data/bpe/piece_scanner.hpp"

namespace ballast::data {

/// Byte-level BPE from a tokenizer.json, with the tokens that the `tokenizers` package gives.
/// One thread at a time.
class BpeTokenizer {
 public:
  explicit BpeTokenizer(BpeModel model);

  [[nodiscard]] const BpeModel& model() const { return model_; }

  /// The tokens of a text, without those around it (model().around). Added tokens are recognized,
  /// special ones too. Throws a data Error with the byte offset where `text` is not UTF-8.
  [[nodiscard]] std::vector<std::int32_t> encode(std::string_view text);

  /// The bytes that tokens stand for; special ones for none. Gives back what `encode` was given,
  /// but for special tokens, blanks that added ones took in, and what NFC changed. Throws a data
  /// Error that names a token outside the vocabulary.
  [[nodiscard]] std::string decode(std::span<const std::int32_t> tokens) const;
  /// The same of one token.
  [[nodiscard]] std::string_view bytes_of(std::int32_t token) const;

  /// Where a text may be cut in two whose tokens, one after the other, are those of the whole, even
  /// if the text goes on behind what is seen of it: the last such place within the first `most`
  /// bytes, else the first one beyond, else 0. `text` is well-formed UTF-8.
  ///
  /// It lies between a letter and what is neither letter, mark nor number, away from added tokens.
  /// No known pattern has a piece across it or looks across it, and NFC joins nothing there.
  [[nodiscard]] std::size_t cut(std::string_view text, std::size_t most = kCutBytes) const;

  static constexpr std::size_t kCutBytes = 16384;

 private:
  using Tokens = std::vector<std::int32_t>;

  void append_stretch(std::string_view text, Tokens& tokens);
  void append_normalized(std::string_view text, Tokens& tokens);
  void append_pieces(std::string_view text, Tokens& tokens);
  [[nodiscard]] bool may_cut(std::string_view text, std::size_t at) const;
  [[nodiscard]] bool touches_added_token(std::string_view text, std::size_t at) const;

  BpeModel model_;
  PieceScanner scanner_;
  AddedTokenFinder raw_tokens_;
  AddedTokenFinder normalized_tokens_;
  PieceEncoder pieces_;
  std::vector<std::string> bytes_;  ///< of each token; empty for special ones
};

}  // namespace ballast::data
