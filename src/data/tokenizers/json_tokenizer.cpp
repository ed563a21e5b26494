#include <algorithm>
#include <fmt/format.h>
#include <memory>
#include <string>

#include "data/bpe/bpe_json.hpp"
#include "data/bpe/bpe_tokenizer.hpp"
#include "data/bpe/character_bpe.hpp"
#include "data/tokenizers/tokenizer.hpp"

namespace ballast::data {

namespace {

/// What a tokenizer.json describes, as a Tokenizer; Bpe computes the tokens.
template <class Bpe>
class JsonTokenizer : public Tokenizer {
 public:
  JsonTokenizer(Bpe bpe, std::string_view text)
      : bpe_{std::move(bpe)}, text_{std::make_shared<const std::string>(text)} {}

  [[nodiscard]] std::string name() const override { return "tokenizer.json"; }
  [[nodiscard]] std::size_t vocabulary() const override { return bpe_.model().pieces.size(); }
  [[nodiscard]] std::size_t cut(std::string_view text) const override { return bpe_.cut(text); }
  /// Of each token the bytes that it stands for wherever it is: the space before a text stays.
  [[nodiscard]] std::string decode(std::span<const std::int32_t> ids) const override {
    std::string text;
    for (const std::int32_t id : ids) text += bpe_.bytes_of(id);
    return text;
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

 protected:
  [[nodiscard]] Bpe& bpe() const { return bpe_; }

 private:
  mutable Bpe bpe_;  ///< remembers pieces
  std::shared_ptr<const std::string> text_;
};

class ByteLevelTokenizer final : public JsonTokenizer<BpeTokenizer> {
 public:
  using JsonTokenizer::JsonTokenizer;

  [[nodiscard]] std::unique_ptr<Tokenizer> twin() const override {
    return std::make_unique<ByteLevelTokenizer>(*this);
  }
  [[nodiscard]] std::vector<std::int32_t> encode_part(std::string_view text,
                                                      TextPart) const override {
    return bpe().encode(text);
  }
  [[nodiscard]] std::optional<TokenizerContent> content() const override;
};

class CharacterTokenizer final : public JsonTokenizer<CharacterBpe> {
 public:
  using JsonTokenizer::JsonTokenizer;

  [[nodiscard]] std::unique_ptr<Tokenizer> twin() const override {
    return std::make_unique<CharacterTokenizer>(*this);
  }
  [[nodiscard]] std::vector<std::int32_t> encode_part(std::string_view text,
                                                      TextPart part) const override {
    using Beginning = CharacterBpe::Beginning;
    return bpe().encode(text, part == TextPart::beginning ? Beginning::here : Beginning::before);
  }
  [[nodiscard]] std::optional<TokenizerContent> content() const override;
};

/// The name that GGUF files have for how the text is cut; empty: they have none.
std::string_view gguf_name(const BpeModel& model) {
  const PreTokenizer& known = *model.pre_tokenizer;
  const bool takes_whole = model.whole_pieces == WholePieces::taken;
  return takes_whole ? known.gguf_name_of_whole_pieces : known.gguf_name;
}

std::optional<TokenizerContent> ByteLevelTokenizer::content() const {
  const BpeModel& model = bpe().model();
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

/// As a SentencePiece model: of two possible merges, the one of the higher score comes first. A
/// token that no merge makes is never chosen before one of a merge.
std::optional<TokenizerContent> CharacterTokenizer::content() const {
  constexpr float kScoreWithoutMerge = -1e9f;
  const CharacterBpeModel& model = bpe().model();
  TokenizerContent content{.kind = TokenizerKind::sentencepiece_bpe,
                           .adds_space_prefix = model.spaces.before != SpaceMarks::Before::nothing};
  for (const Piece& piece : model.pieces) {
    content.entries.push_back({piece.text, piece.kind, kScoreWithoutMerge});
  }
  for (std::size_t rank = 0; rank < model.merges.size(); ++rank) {
    float& score = content.entries[static_cast<std::size_t>(model.merges[rank].whole)].score;
    score = std::max(score, -static_cast<float>(rank));
  }
  return content;
}

}  // namespace

std::unique_ptr<Tokenizer> make_json_tokenizer(std::string_view text) {
  const Json json = parse_tokenizer_json(text);
  if (is_character_bpe(json)) {
    return std::make_unique<CharacterTokenizer>(CharacterBpe{character_bpe_model_of(json)}, text);
  }
  return std::make_unique<ByteLevelTokenizer>(BpeTokenizer{bpe_model_of(json)}, text);
}

}  // namespace ballast::data
