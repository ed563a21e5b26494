#include <algorithm>

#include "base/error.hpp"
#include "data/bpe/added_tokens.hpp"
#include "data/bpe/space_marks.hpp"
#include "data/tokenizers/sentencepiece_coder.hpp"
#include "data/tokenizers/tokenizer.hpp"
#include "data/unicode/utf8.hpp"

namespace ballast::data {

namespace {

using Ids = std::vector<std::int32_t>;

void refuse_lossy(const SentencePieceCoder& pieces) {
  struct Probe {
    std::string_view text;
    std::string_view what;
  };
  static constexpr std::array<Probe, 3> kProbes{{
      {"  a   b  ", "it drops spaces (train with --remove_extra_whitespaces=false)"},
      {"\xF4\x8F\xBF\xBD", "it has no byte fallback (train with --byte_fallback=true)"},
      {"\xEF\xAC\x81 e\xCC\x81 \xE2\x84\xAB \xEF\xBC\xA1 ABC "
       "\t\r\n\xC2\xA0\xE3\x80\x80\xE2\x80\x8B",
       "its normalizer changes text (train with --normalization_rule_name=identity)"},
  }};
  for (const auto& [text, what] : kProbes) {
    if (!pieces.gives_back(text)) {
      throw data_error("the SentencePiece model would not give a text back as it was: {}", what);
    }
  }
}

/// What all that read a SentencePiece model have in common.
class SentencePieceTokenizer : public Tokenizer {
 public:
  explicit SentencePieceTokenizer(std::span<const std::uint8_t> model)
      : model_{model.begin(), model.end()}, coder_{model} {
    refuse_lossy(coder_);
  }

  [[nodiscard]] std::string name() const override { return "sentencepiece"; }
  [[nodiscard]] std::size_t vocabulary() const override { return coder_.model().pieces.size(); }
  [[nodiscard]] std::int32_t bos() const override { return coder_.bos(); }
  [[nodiscard]] std::int32_t eos() const override { return coder_.eos(); }
  [[nodiscard]] std::vector<std::uint8_t> model() const override { return model_; }
  [[nodiscard]] std::size_t cut(std::string_view text) const override { return coder_.cut(text); }
  [[nodiscard]] std::string decode(std::span<const std::int32_t> ids) const override {
    return coder_.decode(ids);
  }
  [[nodiscard]] std::size_t piece_bytes(std::int32_t id) const override {
    return coder_.raw(id).size();
  }
  [[nodiscard]] std::optional<TokenizerContent> content() const override {
    return TokenizerContent{.kind = coder_.model().kind,
                            .entries = coder_.model().pieces,
                            .adds_space_prefix = coder_.model().adds_space_prefix};
  }

 protected:
  [[nodiscard]] const SentencePieceCoder& coder() const { return coder_; }

 private:
  std::vector<std::uint8_t> model_;
  SentencePieceCoder coder_;
};

/// Gives every text back. SentencePiece writes a space as U+2581, so that this character in a text
/// would come back as a space; NUL ends strings in places. Both go in as byte pieces, around the
/// model.
class LosslessSentencePiece final : public SentencePieceTokenizer {
 public:
  explicit LosslessSentencePiece(std::span<const std::uint8_t> model)
      : SentencePieceTokenizer{model} {
    if (coder().model().adds_space_prefix) {
      throw data_error(
          "the SentencePiece model would not give a text back as it was: it adds a space before a "
          "text (train with --add_dummy_prefix=false)");
    }
  }

  [[nodiscard]] std::unique_ptr<Tokenizer> twin() const override {
    return make_sentencepiece_tokenizer(model());
  }
  [[nodiscard]] Ids encode_part(std::string_view text, TextPart) const override {
    require_utf8(text);
    Ids ids;
    while (!text.empty()) {
      const std::size_t mark = std::min(text.find(kSpaceMark), text.find('\0'));
      const std::size_t plain = std::min(mark, text.size());
      coder().append(text.substr(0, plain), ids);
      text.remove_prefix(plain);
      if (text.empty()) break;
      const std::size_t reserved = text.front() == '\0' ? 1 : kSpaceMark.size();
      for (const char byte : text.substr(0, reserved)) ids.push_back(coder().byte_id(byte));
      text.remove_prefix(reserved);
    }
    return ids;
  }
};

std::vector<AddedToken> controls_of(const SentencePieceModel& model) {
  std::vector<AddedToken> controls;
  for (std::size_t id = 0; id < model.pieces.size(); ++id) {
    const VocabularyEntry& piece = model.pieces[id];
    if (piece.kind != PieceKind::control) continue;
    AddedToken& control = controls.emplace_back();
    control.id = static_cast<std::int32_t>(id);
    control.content = piece.text;
    control.special = true;
  }
  return controls;
}

/// Gives the tokens that the model's publisher got: a space before each text and behind each of its
/// control pieces, which are looked for in the text; U+2581 is a space.
class PublishedSentencePiece final : public SentencePieceTokenizer {
 public:
  explicit PublishedSentencePiece(std::span<const std::uint8_t> model)
      : SentencePieceTokenizer{model}, controls_{controls_of(coder().model())} {}

  [[nodiscard]] std::unique_ptr<Tokenizer> twin() const override {
    return make_published_sentencepiece(model());
  }
  [[nodiscard]] Ids encode_part(std::string_view text, TextPart part) const override {
    require_utf8(text);
    Ids ids;
    bool begins = part == TextPart::beginning;
    std::size_t done = 0;
    AddedTokenFinder::Search search;
    while (const auto control = controls_.find(text, search)) {
      append_plain(text.substr(done, control->begin - done), begins, ids);
      ids.push_back(control->id);
      done = control->end;
      begins = true;
    }
    append_plain(text.substr(done), begins, ids);
    return ids;
  }

  [[nodiscard]] std::size_t cut(std::string_view text) const override {
    std::size_t at = coder().cut(text);
    while (at > 0 && controls_.touches(text, at)) at = coder().cut_within(text, at - 1);
    return at;
  }

 private:
  void append_plain(std::string_view text, bool begins, Ids& ids) const {
    if (text.empty()) return;
    const bool adds_space = begins && coder().model().adds_space_prefix;
    std::string plain = (adds_space ? " " : "") + unmark_spaces(text);
    std::string_view left = plain;
    while (!left.empty()) {
      const std::size_t size = std::min(left.find('\0'), left.size());
      coder().append(left.substr(0, size), ids);
      left.remove_prefix(size);
      if (left.empty()) break;
      ids.push_back(coder().byte_id('\0'));
      left.remove_prefix(1);
    }
  }

  AddedTokenFinder controls_;
};

}  // namespace

std::unique_ptr<Tokenizer> make_sentencepiece_tokenizer(std::span<const std::uint8_t> model) {
  return std::make_unique<LosslessSentencePiece>(model);
}

std::unique_ptr<Tokenizer> make_published_sentencepiece(std::span<const std::uint8_t> model) {
  return std::make_unique<PublishedSentencePiece>(model);
}

}  // namespace ballast::data
