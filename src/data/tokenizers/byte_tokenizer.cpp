#include "base/error.hpp"
#include "data/bpe/byte_map.hpp"
#include "data/tokenizers/tokenizer.hpp"

namespace ballast::data {

namespace {

class ByteTokenizer final : public Tokenizer {
 public:
  [[nodiscard]] std::string name() const override { return "bytes"; }
  [[nodiscard]] std::size_t vocabulary() const override { return 259; }
  [[nodiscard]] std::unique_ptr<Tokenizer> twin() const override { return make_byte_tokenizer(); }
  [[nodiscard]] std::int32_t bos() const override { return 256; }
  [[nodiscard]] std::int32_t eos() const override { return 257; }
  [[nodiscard]] std::vector<std::uint8_t> model() const override { return {}; }
  /// As byte pairs without merges; how texts are cut does not matter then.
  [[nodiscard]] std::optional<TokenizerContent> content() const override {
    TokenizerContent content{.kind = TokenizerKind::byte_level_bpe, .pre_tokenizer = "gpt-2"};
    for (int byte = 0; byte < 256; ++byte) {
      content.entries.push_back({to_byte_map(std::string(1, static_cast<char>(byte)))});
    }
    for (const char* name : {"<bos>", "<eos>", "<pad>"}) {
      content.entries.push_back({name, PieceKind::control});
    }
    return content;
  }

  [[nodiscard]] std::vector<std::int32_t> encode_part(std::string_view text,
                                                      TextPart) const override {
    std::vector<std::int32_t> ids(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) ids[i] = static_cast<unsigned char>(text[i]);
    return ids;
  }

  [[nodiscard]] std::string decode(std::span<const std::int32_t> ids) const override {
    std::string text;
    for (const std::int32_t id : ids) {
      if (piece_bytes(id) == 1) text += static_cast<char>(id);
    }
    return text;
  }

  [[nodiscard]] std::size_t piece_bytes(std::int32_t id) const override {
    if (id < 0 || id >= 259) throw data_error("token {} is outside the vocabulary of 259", id);
    return id < 256 ? 1 : 0;
  }
};

}  // namespace

std::unique_ptr<Tokenizer> make_byte_tokenizer() { return std::make_unique<ByteTokenizer>(); }

}  // namespace ballast::data
