#include <fmt/format.h>
#include <memory>
#include <string>

#include "data/bpe/bpe_tokenizer.hpp"
#include "data/tokenizers/tokenizer.hpp"

namespace ballast::data {

namespace {

/// What a tokenizer.json describes, as a Tokenizer.
class ByteLevelTokenizer final : public Tokenizer {
 public:
  explicit ByteLevelTokenizer(std::string_view text)
      : bpe_{read_bpe_model(text)}, text_{std::make_shared<const std::string>(text)} {}

  [[nodiscard]] std::string name() const override { return "tokenizer.json"; }
  [[nodiscard]] std::size_t vocabulary() const override { return bpe_.model().pieces.size(); }
  [[nodiscard]] std::unique_ptr<Tokenizer> twin() const override {
    return std::make_unique<ByteLevelTokenizer>(*this);
  }
  [[nodiscard]] std::vector<std::int32_t> encode_part(std::string_view text,
                                                      TextPart) const override {
    return bpe_.encode(text);
  }
  [[nodiscard]] std::size_t cut(std::string_view text) const override { return bpe_.cut(text); }
  [[nodiscard]] std::string decode(std::span<const std::int32_t> ids) const override {
    return bpe_.decode(ids);
  }
  [[nodiscard]] std::size_t piece_bytes(std::int32_t id) const override {
    return bpe_.bytes_of(id).size();
  }
  [[nodiscard]] std::int32_t bos() const override { return -1; }
  [[nodiscard]] std::int32_t eos() const override { return -1; }
  [[nodiscard]] std::span<const std::int32_t> prompt_start() const override {
    return bpe_.model().around.before;
  }
  [[nodiscard]] std::vector<std::uint8_t> model() const override {
    return {text_->begin(), text_->end()};
  }
  [[nodiscard]] std::optional<TokenizerContent> content() const override;

 private:
  mutable BpeTokenizer bpe_;  ///< remembers pieces
  std::shared_ptr<const std::string> text_;
};

/// The name that GGUF files have for how the text is cut; empty: they have none.
std::string_view gguf_name(const BpeModel& model) {
  const PreTokenizer& known = *model.pre_tokenizer;
  const bool takes_whole = model.whole_pieces == WholePieces::taken;
  return takes_whole ? known.gguf_name_of_whole_pieces : known.gguf_name;
}

std::optional<TokenizerContent> ByteLevelTokenizer::content() const {
  const BpeModel& model = bpe_.model();
  TokenizerContent content{.kind = TokenizerKind::byte_level_bpe,
                           .pre_tokenizer = std::string{gguf_name(model)}};
  for (const Piece& piece : model.pieces) content.entries.push_back({piece.text, piece.kind});
  const auto text_of = [&](std::int32_t id) -> const std::string& {
    return model.pieces[static_cast<std::size_t>(id)].text;
  };
  for (const Merge& merge : model.merges) {
    content.merges.push_back(fmt::format("{} {}", text_of(merge.left), text_of(merge.right)));
  }
  return content;
}

}  // namespace

std::unique_ptr<Tokenizer> make_byte_level_tokenizer(std::string_view text) {
  return std::make_unique<ByteLevelTokenizer>(text);
}

}  // namespace ballast::data
