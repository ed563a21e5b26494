#include <algorithm>
#include <memory>
#include <string>

#include "data/bpe/character_bpe.hpp"
#include "data/tokenizers/tokenizer.hpp"

namespace ballast::data {

namespace {

/// Of a token that no merge makes: it is never chosen before one of a merge.
constexpr float kScoreWithoutMerge = -1e9f;

/// What a tokenizer.json of SentencePiece's kind describes, as a Tokenizer.
class CharacterTokenizer final : public Tokenizer {
 public:
  explicit CharacterTokenizer(std::string_view text)
      : bpe_{read_character_bpe_model(text)}, text_{std::make_shared<const std::string>(text)} {}

  [[nodiscard]] std::string name() const override { return "tokenizer.json"; }
  [[nodiscard]] std::size_t vocabulary() const override { return bpe_.model().pieces.size(); }
  [[nodiscard]] std::unique_ptr<Tokenizer> twin() const override {
    return std::make_unique<CharacterTokenizer>(*this);
  }
  [[nodiscard]] std::vector<std::int32_t> encode_part(std::string_view text,
                                                      TextPart part) const override {
    using Beginning = CharacterBpe::Beginning;
    return bpe_.encode(text, part == TextPart::beginning ? Beginning::here : Beginning::before);
  }
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
  [[nodiscard]] std::optional<TokenizerContent> content() const override;

 private:
  mutable CharacterBpe bpe_;  ///< remembers pieces
  std::shared_ptr<const std::string> text_;
};

/// As a SentencePiece model: of two possible merges, the one of the higher score comes first.
std::optional<TokenizerContent> CharacterTokenizer::content() const {
  const CharacterBpeModel& model = bpe_.model();
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

std::unique_ptr<Tokenizer> make_character_tokenizer(std::string_view text) {
  return std::make_unique<CharacterTokenizer>(text);
}

}  // namespace ballast::data
