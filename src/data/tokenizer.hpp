#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ballast::data {

/// Text to token ids and back, without loss: decode(encode(text)) == text for every text it takes.
class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  [[nodiscard]] virtual std::string name() const = 0;
  [[nodiscard]] virtual std::size_t vocabulary() const = 0;
  /// Throws a data Error with the byte offset when the tokenizer needs UTF-8 and `text` is not.
  [[nodiscard]] virtual std::vector<std::int32_t> encode(std::string_view text) const = 0;
  [[nodiscard]] virtual std::string decode(std::span<const std::int32_t> ids) const = 0;
  /// Raw bytes that one token stands for; 0 for specials.
  [[nodiscard]] virtual std::size_t piece_bytes(std::int32_t id) const = 0;
  [[nodiscard]] virtual std::int32_t bos() const = 0;
  [[nodiscard]] virtual std::int32_t eos() const = 0;
  /// What a dataset keeps so that the tokenizer can be had again; empty for bytes.
  [[nodiscard]] virtual std::vector<std::uint8_t> model() const = 0;
};

/// 256 bytes, then <bos> 256, <eos> 257, <pad> 258. Takes any bytes.
[[nodiscard]] std::unique_ptr<Tokenizer> make_byte_tokenizer();

/// A SentencePiece model from its serialised form.
[[nodiscard]] std::unique_ptr<Tokenizer> make_sentencepiece_tokenizer(
    std::span<const std::uint8_t> model);

/// The tokenizer that a dataset or checkpoint names: "bytes" or "sentencepiece".
[[nodiscard]] std::unique_ptr<Tokenizer> make_tokenizer(std::string_view name,
                                                        std::span<const std::uint8_t> model);

}  // namespace ballast::data
