#include "data/tokenizers/sentencepiece_coder.hpp"

#include <algorithm>
#include <exception>

#include "base/error.hpp"
#include "base/text.hpp"
#include "data/bpe/space_marks.hpp"
#include "data/tokenizers/tokenizer.hpp"
#include "data/unicode/utf8.hpp"

namespace ballast::data {

using Ids = std::vector<std::int32_t>;

namespace {

constexpr std::size_t kLongestCharacter = 4;
constexpr std::size_t kRememberedWords = std::size_t{1} << 16;
constexpr std::size_t kLongestRememberedWord = 64;

/// Length of the next word: a line's end alone, or spaces and what follows up to the next of both.
std::size_t word_size(std::string_view text) {
  if (text.front() == '\n') return 1;
  const std::size_t begin = std::min(text.find_first_not_of(' '), text.size());
  return std::min(text.find_first_of(" \n", begin), text.size());
}

/// The first character of a text, which is at its next one then. Pieces need not be UTF-8.
std::string_view take_character(std::string_view& text) {
  std::size_t size = 1;
  while (size < text.size() && size < 4 && (text[size] & 0xC0) == 0x80) ++size;
  const std::string_view character = text.substr(0, size);
  text.remove_prefix(size);
  return character;
}

/// Two characters as a number; U+2581 is a space.
std::uint64_t pair_of(std::string_view left, std::string_view right) {
  if (left == kSpaceMark) left = " ";
  if (right == kSpaceMark) right = " ";
  std::uint64_t number = left.size();
  for (const char byte : left) number = number << 8 | static_cast<unsigned char>(byte);
  for (const char byte : right) number = number << 8 | static_cast<unsigned char>(byte);
  return number;
}

}  // namespace

SentencePieceCoder::SentencePieceCoder(std::span<const std::uint8_t> model)
    : model_{read_sentencepiece_model(model)} {
  if (model.empty() || !load(without_space_prefix(model))) {
    throw data_error("this is not a SentencePiece model ({} bytes)", model.size());
  }
  read_pieces();
  if (std::ranges::find(byte_ids_, -1) != byte_ids_.end()) {
    throw data_error(
        "the SentencePiece model has no byte fallback, so that it cannot write every text: train "
        "one with --byte_fallback=true");
  }
}

/// The library answers most models that it does not like, and throws at others.
bool SentencePieceCoder::load(const std::vector<std::uint8_t>& serialized) {
  try {
    return processor_.LoadFromSerializedProto(std::string{serialized.begin(), serialized.end()})
        .ok();
  } catch (const std::exception&) {
    return false;
  }
}

void SentencePieceCoder::read_pieces() {
  byte_ids_.fill(-1);
  for (const VocabularyEntry& piece : model_.pieces) {
    const auto id = static_cast<std::int32_t>(raw_.size());
    if (piece.kind == PieceKind::byte) {
      const auto value =
          static_cast<unsigned char>(std::stoi(piece.text.substr(3, 2), nullptr, 16));
      byte_ids_[value] = id;
      raw_.emplace_back(1, static_cast<char>(value));
    } else if (piece.kind == PieceKind::control || piece.kind == PieceKind::unknown) {
      raw_.emplace_back();
    } else {
      raw_.push_back(unmark_spaces(piece.text));
      note_neighbors(raw_.back());
      words_stand_alone_ = words_stand_alone_ && word_size(raw_.back()) == raw_.back().size();
    }
  }
}

void SentencePieceCoder::note_neighbors(std::string_view piece) {
  std::string_view left = take_character(piece);
  while (!piece.empty()) {
    const std::string_view right = take_character(piece);
    neighbors_.insert(pair_of(left, right));
    left = right;
  }
}

const std::string& SentencePieceCoder::raw(std::int32_t id) const {
  if (id < 0 || static_cast<std::size_t>(id) >= raw_.size()) {
    throw data_error("token {} is outside the vocabulary of {}", id, raw_.size());
  }
  return raw_[static_cast<std::size_t>(id)];
}

std::string SentencePieceCoder::decode(std::span<const std::int32_t> ids) const {
  std::string text;
  for (const std::int32_t id : ids) text += raw(id);
  return text;
}

Ids SentencePieceCoder::run(std::string_view text) const {
  Ids ids;
  const auto status = processor_.Encode(text, &ids);
  if (!status.ok() || decode(ids) != text) {
    throw data_error("the SentencePiece model does not give the text '{}' back as it was",
                     excerpt(text.substr(0, encoding_cut(text, 40))));
  }
  return ids;
}

bool SentencePieceCoder::gives_back(std::string_view text) const {
  Ids ids;
  return processor_.Encode(text, &ids).ok() && decode(ids) == text;
}

void SentencePieceCoder::append_words(std::string_view text, Ids& ids) const {
  while (!text.empty()) {
    const std::string word{text.substr(0, word_size(text))};
    text.remove_prefix(word.size());
    auto found = words_.find(word);
    if (found == words_.end()) {
      if (words_.size() >= kRememberedWords) words_.clear();
      found = words_.emplace(word, run(word)).first;
    }
    ids.insert(ids.end(), found->second.begin(), found->second.end());
    if (word.size() > kLongestRememberedWord) words_.erase(found);
  }
}

std::size_t SentencePieceCoder::cut_within(std::string_view text, std::size_t limit) const {
  if (text.size() <= kLongestCharacter) return 0;
  std::size_t at = character_start(text, std::min(limit, text.size() - kLongestCharacter));
  while (at > 0) {
    const std::size_t before = character_start(text, at - 1);
    std::string_view right = text.substr(at);
    const std::string_view left = text.substr(before, at - before);
    if (!neighbors_.contains(pair_of(left, take_character(right)))) return at;
    at = before;
  }
  return 0;
}

std::size_t SentencePieceCoder::cut(std::string_view text) const {
  const std::size_t at = cut_within(text, kEncodeBytes);
  return at > 0 ? at : cut_within(text, text.size());
}

void SentencePieceCoder::append(std::string_view text, Ids& ids) const {
  if (words_stand_alone_) return append_words(text, ids);
  while (!text.empty()) {
    const std::size_t place = text.size() <= kEncodeBytes ? 0 : cut(text);
    const std::size_t size = place == 0 ? text.size() : place;
    const Ids more = run(text.substr(0, size));
    ids.insert(ids.end(), more.begin(), more.end());
    text.remove_prefix(size);
  }
}

}  // namespace ballast::data
