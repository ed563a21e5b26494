#include "data/bpe/character_bpe.hpp"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "base/error.hpp"
#include "data/unicode/character_class.hpp"
#include "data/unicode/utf8.hpp"

namespace ballast::data {

namespace {

using Before = SpaceMarks::Before;
using WrittenBy = SpaceMarks::WrittenBy;

std::vector<AddedToken> tokens_looked_for_in(const CharacterBpeModel& model, LookedForIn which) {
  std::vector<AddedToken> tokens;
  std::ranges::copy_if(model.added_tokens, std::back_inserter(tokens),
                       [&](const auto& token) { return token.looked_for_in == which; });
  // The package looks for what its normalizers make of a token.
  if (which == LookedForIn::normalized_text && model.spaces.written_by == WrittenBy::normalizer) {
    const bool prepends = model.spaces.before == Before::each_always;
    for (AddedToken& token : tokens) {
      token.content = (prepends ? std::string{kSpaceMark} : "") + mark_spaces(token.content);
    }
  }
  return tokens;
}

/// Each content once.
std::vector<AddedToken> tokens_with_marks(const CharacterBpeModel& model) {
  std::set<std::string> contents;
  for (const AddedToken& token : model.added_tokens) contents.insert(mark_spaces(token.content));
  std::vector<AddedToken> tokens;
  for (const std::string& content : contents) tokens.push_back({.content = content});
  return tokens;
}

std::string bytes_of_piece(const Piece& piece) {
  const bool writes = piece.kind == PieceKind::normal || piece.kind == PieceKind::user_defined;
  return writes ? unmark_spaces(piece.text) : "";
}

}  // namespace

CharacterBpe::CharacterBpe(CharacterBpeModel model)
    : model_{std::move(model)},
      merges_{model_.merges, model_.pieces.size()},
      raw_tokens_{tokens_looked_for_in(model_, LookedForIn::raw_text)},
      normalized_tokens_{tokens_looked_for_in(model_, LookedForIn::normalized_text)},
      marked_tokens_{tokens_with_marks(model_)} {
  for (std::size_t id = 0; id < model_.pieces.size(); ++id) {
    const Piece& piece = model_.pieces[id];
    bytes_.push_back(bytes_of_piece(piece));
    if (piece.kind == PieceKind::unused || piece.origin != PieceOrigin::vocabulary ||
        piece.text.empty()) {
      continue;
    }
    const Character first = decode_character(piece.text);
    if (first.size == piece.text.size()) {
      characters_.emplace(first.code, static_cast<std::int32_t>(id));
    }
  }
  for (std::size_t byte = 0; byte < 256; ++byte) {
    bytes_[static_cast<std::size_t>(model_.byte_tokens[byte])] = static_cast<char>(byte);
  }
  for (const Merge& merge : model_.merges) {
    pairs_.add(model_.pieces[static_cast<std::size_t>(merge.whole)].text);
  }
}

std::vector<std::int32_t> CharacterBpe::encode(std::string_view text, Beginning beginning) {
  require_utf8(text);
  Tokens tokens;
  tokens.reserve(text.size() / 3);
  split_at_tokens(
      raw_tokens_, text,
      [&](std::string_view stretch) {
        const bool is_first = stretch.data() == text.data();
        const Place first = beginning == Beginning::here ? Place::beginning : Place::continuation;
        append_stretch(stretch, is_first ? first : Place::behind_token, tokens);
      },
      [&](std::int32_t id) { tokens.push_back(id); });
  return tokens;
}

void CharacterBpe::append_stretch(std::string_view text, Place place, Tokens& tokens) {
  const auto append_token = [&](std::int32_t id) { tokens.push_back(id); };
  if (model_.spaces.written_by == WrittenBy::normalizer) {
    const std::string normalized = marked(text, place);
    split_at_tokens(
        normalized_tokens_, normalized,
        [&](std::string_view stretch) { append_pieces(stretch, tokens); }, append_token);
    return;
  }
  split_at_tokens(
      normalized_tokens_, text,
      [&](std::string_view stretch) {
        const bool is_first = stretch.data() == text.data();
        append_pieces(marked(stretch, is_first ? place : Place::behind_token), tokens);
      },
      append_token);
}

std::string CharacterBpe::marked(std::string_view text, Place place) const {
  std::string result = mark_spaces(text);
  const Before before = model_.spaces.before;
  if (before == Before::nothing || place == Place::continuation) return result;
  if (before == Before::first_stretch && place != Place::beginning) return result;
  if (before != Before::each_always && result.starts_with(kSpaceMark)) return result;
  return std::string{kSpaceMark} + result;
}

/// Whether no token reaches from one character to the next, spaces written as marks.
bool CharacterBpe::ends_between(char32_t left, char32_t right) const {
  const bool at_marks = model_.spaces.pieces == SpaceMarks::Pieces::at_marks;
  return !pairs_.may_have(left, right) || (at_marks && right == kSpaceMarkCode);
}

void CharacterBpe::append_pieces(std::string_view text, Tokens& tokens) {
  while (!text.empty()) {
    Character last = decode_character(text);
    std::size_t end = last.size;
    while (end < text.size()) {
      const Character next = decode_character(text.substr(end));
      if (ends_between(last.code, next.code)) break;
      last = next;
      end += next.size;
    }
    append_piece(text.substr(0, end), tokens);
    text.remove_prefix(end);
  }
}

void CharacterBpe::append_piece(std::string_view piece, Tokens& tokens) {
  if (const auto known = cache_.find(piece)) {
    tokens.insert(tokens.end(), known->begin(), known->end());
    return;
  }
  merged_.clear();
  for (std::string_view left = piece; !left.empty();) {
    const Character character = decode_character(left);
    if (const auto token = characters_.find(character.code); token != characters_.end()) {
      merged_.push_back(token->second);
    } else {
      for (const char byte : left.substr(0, character.size)) {
        merged_.push_back(model_.byte_tokens[static_cast<unsigned char>(byte)]);
      }
    }
    left.remove_prefix(character.size);
  }
  merges_.apply(merged_);
  cache_.keep(piece, merged_);
  tokens.insert(tokens.end(), merged_.begin(), merged_.end());
}

std::string_view CharacterBpe::bytes_of(std::int32_t token) const {
  if (token < 0 || static_cast<std::size_t>(token) >= bytes_.size()) {
    throw data_error("token {} is outside the vocabulary of {}", token, bytes_.size());
  }
  return bytes_[static_cast<std::size_t>(token)];
}

std::string CharacterBpe::decode(std::span<const std::int32_t> tokens) const {
  std::string text;
  for (const std::int32_t token : tokens) text += bytes_of(token);
  if (model_.first_space == FirstSpace::is_taken_away && text.starts_with(' ')) text.erase(0, 1);
  return text;
}

std::size_t CharacterBpe::cut(std::string_view text, std::size_t most) const {
  for (std::size_t at = std::min(most, text.size()); at > 0; --at) {
    if (may_cut(text, at)) return at;
  }
  for (std::size_t at = most + 1; at < text.size(); ++at) {
    if (may_cut(text, at)) return at;
  }
  return 0;
}

bool CharacterBpe::may_cut(std::string_view text, std::size_t at) const {
  if (at >= text.size() || character_start(text, at) != at) return false;
  const CharacterClasses& classes = CharacterClasses::table();
  const Character left = classes.before(text, at);
  const Character right = classes.at(text, at);
  // An added token may take in the blanks behind it.
  if (left.size == 0 || left.is(kBlank)) return false;
  const auto mark = [](char32_t code) { return code == U' ' ? kSpaceMarkCode : code; };
  if (!ends_between(mark(left.code), mark(right.code))) return false;
  const std::size_t reach = marked_tokens_.longest();
  const std::size_t begin = character_start(text, at - std::min(at, reach));
  const std::size_t end = character_start(text, std::min(at + reach + 1, text.size()));
  const std::string before = mark_spaces(text.substr(begin, at - begin));
  return !marked_tokens_.touches(before + mark_spaces(text.substr(at, end - at)), before.size());
}

}  // namespace ballast::data
