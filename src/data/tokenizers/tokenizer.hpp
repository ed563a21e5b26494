#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/vocabulary/tokenizer_content.hpp"

namespace ballast::data {

/// Where a long text is cut unless its tokenizer knows better: after a line's end, else before a
/// run of spaces, else before a character. The whole text when it is short. Never 0 for a text that
/// is not empty.
inline constexpr std::size_t kEncodeBytes = 16384;
[[nodiscard]] std::size_t encoding_cut(std::string_view text, std::size_t limit = kEncodeBytes);

/// Where a part of a text stands in it.
enum class TextPart { beginning, continuation };

/// Text to token ids and back. What a tokenizer does not give back as it was (spaces that it adds,
/// characters that it composes), its maker says.
/// One thread at a time, the const calls too: an encoder remembers words.
class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  [[nodiscard]] virtual std::string name() const = 0;
  [[nodiscard]] virtual std::size_t vocabulary() const = 0;
  /// The same one for another thread.
  [[nodiscard]] virtual std::unique_ptr<Tokenizer> twin() const = 0;
  /// Throws a data Error with the byte offset when the tokenizer needs UTF-8 and `text` is not, or
  /// if it knows no texts.
  [[nodiscard]] virtual std::vector<std::int32_t> encode_part(std::string_view text,
                                                              TextPart part) const = 0;
  [[nodiscard]] std::vector<std::int32_t> encode(std::string_view text) const {
    return encode_part(text, TextPart::beginning);
  }
  /// How many bytes of `text`, longer than kEncodeBytes and the beginning of a text that may go on,
  /// can be encoded by themselves, so that the tokens of the parts are those of the whole. 0: that
  /// cannot be said yet.
  [[nodiscard]] virtual std::size_t cut(std::string_view text) const { return encoding_cut(text); }
  [[nodiscard]] virtual std::string decode(std::span<const std::int32_t> ids) const = 0;
  /// Raw bytes that one token stands for; 0 for specials, and where nobody knows.
  [[nodiscard]] virtual std::size_t piece_bytes(std::int32_t id) const = 0;
  /// -1 where a model has no such token.
  [[nodiscard]] virtual std::int32_t bos() const = 0;
  [[nodiscard]] virtual std::int32_t eos() const = 0;
  /// What the documents of a dataset begin with: <bos>, or <eos> where there is no other.
  [[nodiscard]] std::int32_t document_mark() const { return bos() >= 0 ? bos() : eos(); }
  /// What a prompt begins with before its own tokens. What a tokenizer puts behind a text is left
  /// out: a prompt goes on.
  [[nodiscard]] virtual std::span<const std::int32_t> prompt_start() const { return {}; }
  /// The tokens of a prompt, with those that it begins with, unless the text names them itself.
  [[nodiscard]] std::vector<std::int32_t> encode_prompt(std::string_view text) const;
  /// The model that a dataset keeps, from which the tokenizer can be made again; empty for bytes.
  [[nodiscard]] virtual std::vector<std::uint8_t> model() const = 0;
  /// The part of the model that decides on tokens: two with the same rules give the same ones.
  [[nodiscard]] virtual std::vector<std::uint8_t> rules() const { return model(); }
  /// All of it, for a file of another format; nothing where there are no pieces.
  [[nodiscard]] virtual std::optional<TokenizerContent> content() const = 0;
};

/// 256 bytes, then <bos> 256, <eos> 257, <pad> 258. Takes any bytes.
[[nodiscard]] std::unique_ptr<Tokenizer> make_byte_tokenizer();

/// A SentencePiece model from its serialized form. A data Error if it is none, or if decoding would
/// not give back every text (no byte fallback, or a normalizer that changes text).
[[nodiscard]] std::unique_ptr<Tokenizer> make_sentencepiece_tokenizer(
    std::span<const std::uint8_t> model);

/// A SentencePiece model that gives the tokens its publisher got: with a space before a text where
/// the model adds one, and its control pieces ("<s>") looked for in texts. A data Error if it is
/// none, has no byte fallback, or a normalizer that changes text.
[[nodiscard]] std::unique_ptr<Tokenizer> make_published_sentencepiece(
    std::span<const std::uint8_t> model);

/// The text of a tokenizer.json: byte pairs of bytes, or of characters as SentencePiece has them
/// (Llama 2, Mistral, Gemma), with the tokens that the `tokenizers` package gives. Which of them
/// begin and end texts, other files say. A data Error names what is wrong in it, or not computed
/// here.
[[nodiscard]] std::unique_ptr<Tokenizer> make_json_tokenizer(std::string_view text);

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

/// The name of one that consists of a Hugging Face folder's files: see huggingface_tokenizer.hpp.
inline constexpr std::string_view kHuggingFaceTokenizer = "huggingface";

/// The hash by which datasets and checkpoints compare tokenizers: XXH3-128 of the rules, or of the
/// name for a tokenizer without a model.
[[nodiscard]] std::string tokenizer_hash(const Tokenizer& tokenizer);

}  // namespace ballast::data
