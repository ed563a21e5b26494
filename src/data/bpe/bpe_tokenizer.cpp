#include "data/bpe/bpe_tokenizer.hpp"

#include <algorithm>
#include <utility>

#include "base/error.hpp"
#include "data/bpe/byte_map.hpp"
#include "data/unicode/nfc.hpp"
#include "data/unicode/utf8.hpp"

namespace ballast::data {

namespace {

std::vector<AddedToken> tokens_looked_for_in(const BpeModel& model, LookedForIn which) {
  std::vector<AddedToken> tokens;
  for (AddedToken token : model.added_tokens) {
    if (token.looked_for_in != which) continue;
    const bool normalizes =
        which == LookedForIn::normalized_text && model.normalization == Normalization::nfc;
    if (normalizes) token.content = nfc(token.content);
    tokens.push_back(std::move(token));
  }
  return tokens;
}

std::string bytes_of_piece(const Piece& piece) {
  if (piece.kind == PieceKind::user_defined) return piece.text;
  if (piece.kind != PieceKind::normal) return {};
  return from_byte_map(piece.text).value_or(piece.text);
}

}  // namespace

BpeTokenizer::BpeTokenizer(BpeModel model)
    : model_{std::move(model)},
      scanner_{model_.pre_tokenizer->rule},
      raw_tokens_{tokens_looked_for_in(model_, LookedForIn::raw_text)},
      normalized_tokens_{tokens_looked_for_in(model_, LookedForIn::normalized_text)},
      pieces_{model_} {
  bytes_.reserve(model_.pieces.size());
  for (const Piece& piece : model_.pieces) bytes_.push_back(bytes_of_piece(piece));
}

std::vector<std::int32_t> BpeTokenizer::encode(std::string_view text) {
  require_utf8(text);
  Tokens tokens;
  tokens.reserve(text.size() / 3);
  split_at_tokens(
      raw_tokens_, text, [&](std::string_view stretch) { append_stretch(stretch, tokens); },
      [&](std::int32_t id) { tokens.push_back(id); });
  return tokens;
}

void BpeTokenizer::append_stretch(std::string_view text, Tokens& tokens) {
  if (model_.normalization == Normalization::nfc && !is_surely_nfc(text)) {
    append_normalized(nfc(text), tokens);
  } else {
    append_normalized(text, tokens);
  }
}

void BpeTokenizer::append_normalized(std::string_view text, Tokens& tokens) {
  split_at_tokens(
      normalized_tokens_, text, [&](std::string_view stretch) { append_pieces(stretch, tokens); },
      [&](std::int32_t id) { tokens.push_back(id); });
}

void BpeTokenizer::append_pieces(std::string_view text, Tokens& tokens) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = scanner_.piece_end(text, at);
    pieces_.append(text.substr(at, end - at), tokens);
    at = end;
  }
}

std::string_view BpeTokenizer::bytes_of(std::int32_t token) const {
  if (token < 0 || static_cast<std::size_t>(token) >= bytes_.size()) {
    throw data_error("token {} is outside the vocabulary of {}", token, bytes_.size());
  }
  return bytes_[static_cast<std::size_t>(token)];
}

std::string BpeTokenizer::decode(std::span<const std::int32_t> tokens) const {
  std::string text;
  for (const std::int32_t token : tokens) text += bytes_of(token);
  return text;
}

std::size_t BpeTokenizer::cut(std::string_view text, std::size_t most) const {
  for (std::size_t at = std::min(most, text.size()); at > 0; --at) {
    if (may_cut(text, at)) return at;
  }
  for (std::size_t at = most + 1; at < text.size(); ++at) {
    if (may_cut(text, at)) return at;
  }
  return 0;
}

bool BpeTokenizer::may_cut(std::string_view text, std::size_t at) const {
  if (character_start(text, at) != at) return false;
  const CharacterClasses& classes = CharacterClasses::table();
  const Character behind = classes.at(text, at);
  if (behind.size == 0 || behind.is(kLetter | kMark | kNumber | kDigit | kNfcUnsafe)) return false;
  // It may begin a contraction that is a part of the word.
  if (behind.code == U'\'') return false;
  return classes.before(text, at).is(kLetter) && !touches_added_token(text, at);
}

bool BpeTokenizer::touches_added_token(std::string_view text, std::size_t at) const {
  if (raw_tokens_.touches(text, at)) return true;
  if (normalized_tokens_.empty()) return false;
  if (model_.normalization == Normalization::none) return normalized_tokens_.touches(text, at);
  // Enough of both sides: a character of a normalized text comes from few of the raw one.
  const std::size_t reach = 16 * normalized_tokens_.longest();
  const std::size_t begin = character_start(text, at - std::min(at, reach));
  const std::size_t end = character_start(text, std::min(at + reach, text.size()));
  const std::string before = nfc(text.substr(begin, at - begin));
  const std::string around = before + nfc(text.substr(at, end - at));
  return normalized_tokens_.touches(around, before.size());
}

}  // namespace ballast::data
