#include <algorithm>
#include <array>
#include <sentencepiece_processor.h>
#include <unordered_map>

#include "base/error.hpp"
#include "base/text.hpp"
#include "data/sentencepiece_model.hpp"
#include "data/tokenizer.hpp"
#include "data/utf8.hpp"

namespace ballast::data {

namespace {

using sentencepiece::SentencePieceProcessor;

/// SentencePiece writes a space as U+2581, so that this character in a text would come back as a
/// space; NUL ends strings in places. Both go in as byte pieces, around the model.
constexpr std::string_view kSpaceMark = "\xE2\x96\x81";

constexpr std::size_t kRememberedWords = std::size_t{1} << 16;
constexpr std::size_t kLongestRememberedWord = 64;

/// The text that a piece stands for: each U+2581 is a space.
std::string raw_text(std::string_view piece) {
  std::string raw;
  while (!piece.empty()) {
    const bool space = piece.starts_with(kSpaceMark);
    raw += space ? ' ' : piece.front();
    piece.remove_prefix(space ? kSpaceMark.size() : 1);
  }
  return raw;
}

/// Length of the next word: a line's end alone, or spaces and what follows up to the next of both.
std::size_t word_size(std::string_view text) {
  if (text.front() == '\n') return 1;
  const std::size_t begin = std::min(text.find_first_not_of(' '), text.size());
  return std::min(text.find_first_of(" \n", begin), text.size());
}

class SentencePieceTokenizer final : public Tokenizer {
 public:
  explicit SentencePieceTokenizer(std::span<const std::uint8_t> model);

  [[nodiscard]] std::string name() const override { return "sentencepiece"; }
  [[nodiscard]] std::size_t vocabulary() const override { return pieces_.size(); }
  [[nodiscard]] std::int32_t bos() const override { return processor_.bos_id(); }
  [[nodiscard]] std::int32_t eos() const override { return processor_.eos_id(); }
  [[nodiscard]] std::vector<std::uint8_t> model() const override { return model_; }
  [[nodiscard]] std::vector<std::int32_t> encode(std::string_view text) const override;
  [[nodiscard]] std::string decode(std::span<const std::int32_t> ids) const override;
  [[nodiscard]] std::size_t piece_bytes(std::int32_t id) const override { return piece(id).size(); }

 private:
  using Ids = std::vector<std::int32_t>;

  [[nodiscard]] bool load(const std::string& serialized);
  void read_pieces();
  void refuse_lossy() const;
  [[nodiscard]] const std::string& piece(std::int32_t id) const;
  [[nodiscard]] Ids run_model(std::string_view text) const;
  void append_stretch(std::string_view text, Ids& ids) const;
  void append_words(std::string_view text, Ids& ids) const;
  void append_bytes(std::string_view text, Ids& ids) const;

  std::vector<std::uint8_t> model_;
  SentencePieceProcessor processor_;
  std::vector<std::string> pieces_;  ///< raw bytes of each id
  std::array<std::int32_t, 256> byte_ids_{};
  bool words_stand_alone_ = true;  ///< no piece reaches over a word's start or a line's end
  mutable std::unordered_map<std::string, Ids> words_;
};

SentencePieceTokenizer::SentencePieceTokenizer(std::span<const std::uint8_t> model)
    : model_{model.begin(), model.end()} {
  require_bounded_model(model);
  const std::string serialized{model.begin(), model.end()};
  if (serialized.empty() || !load(serialized)) {
    throw data_error("this is not a SentencePiece model ({} bytes)", model.size());
  }
  read_pieces();
  refuse_lossy();
}

/// The library answers most models that it does not like, and throws at others.
bool SentencePieceTokenizer::load(const std::string& serialized) {
  try {
    return processor_.LoadFromSerializedProto(serialized).ok();
  } catch (const std::exception&) {
    return false;
  }
}

void SentencePieceTokenizer::read_pieces() {
  const int count = processor_.GetPieceSize();
  byte_ids_.fill(-1);
  for (int id = 0; id < count; ++id) {
    const std::string& text = processor_.IdToPiece(id);
    if (processor_.IsByte(id)) {
      const auto value = static_cast<unsigned char>(std::stoi(text.substr(3, 2), nullptr, 16));
      byte_ids_[value] = id;
      pieces_.emplace_back(1, static_cast<char>(value));
    } else if (processor_.IsControl(id) || processor_.IsUnknown(id)) {
      pieces_.emplace_back();
    } else {
      pieces_.push_back(raw_text(text));
      words_stand_alone_ = words_stand_alone_ && word_size(pieces_.back()) == pieces_.back().size();
    }
  }
}

void SentencePieceTokenizer::refuse_lossy() const {
  if (std::ranges::find(byte_ids_, -1) != byte_ids_.end()) {
    throw data_error(
        "the SentencePiece model has no byte fallback, so that it cannot write every text: train "
        "one with --byte_fallback=true");
  }
  struct Probe {
    std::string_view text;
    std::string_view what;
  };
  static constexpr std::array<Probe, 4> kProbes{{
      {"a", "it adds a space before a text (train with --add_dummy_prefix=false)"},
      {"  a   b  ", "it drops spaces (train with --remove_extra_whitespaces=false)"},
      {"\xF4\x8F\xBF\xBD", "it has no byte fallback (train with --byte_fallback=true)"},
      {"\xEF\xAC\x81 e\xCC\x81 \xE2\x84\xAB \xEF\xBC\xA1 ABC "
       "\t\r\n\xC2\xA0\xE3\x80\x80\xE2\x80\x8B",
       "its normalizer changes text (train with --normalization_rule_name=identity)"},
  }};
  for (const auto& [text, what] : kProbes) {
    std::vector<int> ids;
    const bool encoded = processor_.Encode(text, &ids).ok();
    if (!encoded || decode(ids) != text) {
      throw data_error("the SentencePiece model would not give a text back as it was: {}", what);
    }
  }
}

const std::string& SentencePieceTokenizer::piece(std::int32_t id) const {
  if (id < 0 || static_cast<std::size_t>(id) >= pieces_.size()) {
    throw data_error("token {} is outside the vocabulary of {}", id, pieces_.size());
  }
  return pieces_[static_cast<std::size_t>(id)];
}

SentencePieceTokenizer::Ids SentencePieceTokenizer::run_model(std::string_view text) const {
  Ids ids;
  const auto status = processor_.Encode(text, &ids);
  if (!status.ok() || decode(ids) != text) {
    throw data_error("the SentencePiece model does not give the text '{}' back as it was",
                     excerpt(text.substr(0, encoding_cut(text, 40))));
  }
  return ids;
}

/// Word by word: most words come again and again, and the model takes its time.
void SentencePieceTokenizer::append_words(std::string_view text, Ids& ids) const {
  while (!text.empty()) {
    const std::string word{text.substr(0, word_size(text))};
    text.remove_prefix(word.size());
    auto found = words_.find(word);
    if (found == words_.end()) {
      if (words_.size() >= kRememberedWords) words_.clear();
      found = words_.emplace(word, run_model(word)).first;
    }
    ids.insert(ids.end(), found->second.begin(), found->second.end());
    if (word.size() > kLongestRememberedWord) words_.erase(found);
  }
}

void SentencePieceTokenizer::append_stretch(std::string_view text, Ids& ids) const {
  while (!text.empty()) {
    const std::string_view part = text.substr(0, encoding_cut(text));
    text.remove_prefix(part.size());
    if (words_stand_alone_) {
      append_words(part, ids);
    } else {
      const Ids more = run_model(part);
      ids.insert(ids.end(), more.begin(), more.end());
    }
  }
}

void SentencePieceTokenizer::append_bytes(std::string_view text, Ids& ids) const {
  for (const char byte : text) ids.push_back(byte_ids_[static_cast<unsigned char>(byte)]);
}

std::vector<std::int32_t> SentencePieceTokenizer::encode(std::string_view text) const {
  if (const Utf8Check check = check_utf8(text); check.valid != text.size()) {
    throw data_error("the text is not UTF-8 at byte {} (0x{:02x})", check.valid,
                     static_cast<unsigned char>(text[check.valid]));
  }
  Ids ids;
  while (!text.empty()) {
    const std::size_t mark = std::min(text.find(kSpaceMark), text.find('\0'));
    const std::size_t plain = std::min(mark, text.size());
    append_stretch(text.substr(0, plain), ids);
    text.remove_prefix(plain);
    if (text.empty()) break;
    const std::size_t reserved = text.front() == '\0' ? 1 : kSpaceMark.size();
    append_bytes(text.substr(0, reserved), ids);
    text.remove_prefix(reserved);
  }
  return ids;
}

std::string SentencePieceTokenizer::decode(std::span<const std::int32_t> ids) const {
  std::string text;
  for (const std::int32_t id : ids) text += piece(id);
  return text;
}

}  // namespace

std::unique_ptr<Tokenizer> make_sentencepiece_tokenizer(std::span<const std::uint8_t> model) {
  return std::make_unique<SentencePieceTokenizer>(model);
}

}  // namespace ballast::data
