#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ballast::data {

/// Where `encode` cuts a long text, so that a stream cut in the same places gives the same tokens:
/// after a line's end, else before a run of spaces, else before a character. The whole text when it
/// is short. Never 0 for a text that is not empty.
inline constexpr std::size_t kEncodeBytes = 16384;
[[nodiscard]] std::size_t encoding_cut(std::string_view text, std::size_t limit = kEncodeBytes);

/// Text to token ids and back, without loss: decode(encode(text)) == text for every text it takes.
/// One thread at a time, the const calls too: an encoder remembers words.
class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  [[nodiscard]] virtual std::string name() const = 0;
  [[nodiscard]] virtual std::size_t vocabulary() const = 0;
  /// Throws a data Error with the byte offset when the tokenizer needs UTF-8 and `text` is not, or
  /// if it knows no texts.
  [[nodiscard]] virtual std::vector<std::int32_t> encode(std::string_view text) const = 0;
  [[nodiscard]] virtual std::string decode(std::span<const std::int32_t> ids) const = 0;
  /// Raw bytes that one token stands for; 0 for specials, and where nobody knows.
  [[nodiscard]] virtual std::size_t piece_bytes(std::int32_t id) const = 0;
  /// -1 where a model has no such token.
  [[nodiscard]] virtual std::int32_t bos() const = 0;
  [[nodiscard]] virtual std::int32_t eos() const = 0;
  /// The model that a dataset keeps, from which the tokenizer can be made again; empty for bytes.
  [[nodiscard]] virtual std::vector<std::uint8_t> model() const = 0;
};

/// 256 bytes, then <bos> 256, <eos> 257, <pad> 258. Takes any bytes.
[[nodiscard]] std::unique_ptr<Tokenizer> make_byte_tokenizer();

/// A SentencePiece model from its serialized form. A data Error if it is none, or if decoding would
/// not give back every text (no byte fallback, or a normalizer that changes text).
[[nodiscard]] std::unique_ptr<Tokenizer> make_sentencepiece_tokenizer(
    std::span<const std::uint8_t> model);

/// The name of a tokenizer that is none: the texts were token ids already. Its `decode` writes ids,
/// "15 0 7".
inline constexpr std::string_view kIdsTokenizer = "ids";
/// A table of all tokens is kept.
inline constexpr std::size_t kLargestIdVocabulary = std::size_t{1} << 24;
/// Such a vocabulary from its digits, or nothing: 1 to kLargestIdVocabulary.
[[nodiscard]] std::optional<std::size_t> parse_id_vocabulary(std::string_view digits);
[[nodiscard]] std::unique_ptr<Tokenizer> make_ids_tokenizer(std::size_t vocabulary);
/// The same from what a dataset keeps of it; a data Error if that is no vocabulary.
[[nodiscard]] std::unique_ptr<Tokenizer> make_ids_tokenizer(std::span<const std::uint8_t> model);

/// The tokenizer that a dataset or checkpoint names: "bytes", "sentencepiece" or "ids".
[[nodiscard]] std::unique_ptr<Tokenizer> make_tokenizer(std::string_view name,
                                                        std::span<const std::uint8_t> model);

/// The hash by which datasets and checkpoints compare tokenizers: XXH3-128 of the model, or of the
/// name for a tokenizer without a model.
[[nodiscard]] std::string tokenizer_hash(const Tokenizer& tokenizer);

}  // namespace ballast::data
