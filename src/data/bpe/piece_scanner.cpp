#include "data/bpe/piece_scanner.hpp"

#include <algorithm>
#include <optional>

namespace ballast::data {

namespace {

constexpr unsigned kAnyWord = kLetter | kNumber;

bool is_line_end(const Character& character) {
  return character.code == U'\r' || character.code == U'\n';
}

/// [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]
bool may_be_upper(const Character& character) {
  return character.is(kLetter | kMark) && !character.is(kLower);
}

/// [\p{Ll}\p{Lm}\p{Lo}\p{M}]
bool may_be_lower(const Character& character) {
  return character.is(kLetter | kMark) && !character.is(kUpper);
}

/// Small letters of what may stand behind an apostrophe. U+017F is a form of s (Unicode's
/// CaseFolding.txt); no other code point folds to one of these letters.
char32_t folded(char32_t code) {
  if (code >= U'A' && code <= U'Z') return code + (U'a' - U'A');
  return code == U'\u017F' ? U's' : code;
}

}  // namespace

PieceScanner::PieceScanner(const PieceRule& rule)
    : rule_{rule},
      classes_{CharacterClasses::table()},
      word_classes_{rule.letters == PieceRule::Letters::plain ? kLetter : kLetter | kMark},
      others_exclude_{kBlank | kLetter | kNumber |
                      (rule.letters == PieceRule::Letters::with_marks ? kMark : 0u)} {}

std::size_t PieceScanner::piece_end(std::string_view text, std::size_t at) const {
  if (rule_.numbers == PieceRule::Numbers::cut_first) {
    const Character first = classes_.at(text, at);
    if (first.is(kDigit)) return at + first.size;
  }
  if (rule_.contractions != PieceRule::Contractions::of_a_word) {
    if (const std::size_t end = contraction_end(text, at); end != at) return end;
  }
  if (const std::size_t end = word_end(text, at); end != at) return end;
  if (const std::size_t end = number_end(text, at); end != at) return end;
  if (const std::size_t end = others_end(text, at); end != at) return end;
  return blanks_end(text, at);
}

Character PieceScanner::look(std::string_view text, std::size_t at) const {
  const Character character = classes_.at(text, at);
  const bool ends = rule_.numbers == PieceRule::Numbers::cut_first && character.is(kDigit);
  return ends ? Character{} : character;
}

std::size_t PieceScanner::run_end(std::string_view text, std::size_t at, unsigned any_of) const {
  for (Character next = look(text, at); next.is(any_of); next = look(text, at)) at += next.size;
  return at;
}

std::size_t PieceScanner::contraction_end(std::string_view text, std::size_t at) const {
  using Contractions = PieceRule::Contractions;
  if (rule_.contractions == Contractions::none || look(text, at).code != U'\'') return at;
  const auto letter = [&](std::size_t place) {
    Character found = look(text, place);
    if (rule_.contractions != Contractions::lower_case) found.code = folded(found.code);
    return found;
  };
  const Character first = letter(at + 1);
  const std::size_t behind = at + 1 + first.size;
  switch (first.code) {
    case U's':
    case U't':
    case U'm':
    case U'd':
      return behind;
    case U'r':
    case U'v':
      return letter(behind).code == U'e' ? behind + 1 : at;
    case U'l':
      return letter(behind).code == U'l' ? behind + 1 : at;
    default:
      return at;
  }
}

std::size_t PieceScanner::word_end(std::string_view text, std::size_t at) const {
  const Character first = look(text, at);
  const bool stands_before = rule_.before == PieceRule::Before::space
                                 ? first.code == U' '
                                 : first.size != 0 && !is_line_end(first) && !first.is(kAnyWord);
  if (rule_.letters == PieceRule::Letters::by_case) {
    const std::size_t end = cased_end(text, at, stands_before ? at + first.size : at);
    const bool takes_contraction = rule_.contractions == PieceRule::Contractions::of_a_word;
    return end != at && takes_contraction ? contraction_end(text, end) : end;
  }
  if (first.is(word_classes_)) return run_end(text, at, word_classes_);
  if (!stands_before) return at;
  const std::size_t end = run_end(text, at + first.size, word_classes_);
  return end == at + first.size ? at : end;
}

/// The letters of a word of upper and lower case from `letters` on, or from `at` if there are none.
std::size_t PieceScanner::cased_end(std::string_view text, std::size_t at,
                                    std::size_t letters) const {
  if (const auto end = lower_end(text, letters)) return *end;
  if (const auto end = lower_end(text, at)) return *end;
  // No lower-case letter follows, or it would have been found.
  if (const std::size_t end = upper_end(text, letters); end != letters) return end;
  return upper_end(text, at);
}

/// Upper* lower+: the last of a run of upper-case letters that may be lower-case too is taken for
/// lower+ if nothing else is there.
std::optional<std::size_t> PieceScanner::lower_end(std::string_view text, std::size_t at) const {
  std::optional<std::size_t> end;
  Character next = look(text, at);
  for (; may_be_upper(next); next = look(text, at)) {
    at += next.size;
    if (may_be_lower(next)) end = at;
  }
  for (; may_be_lower(next); next = look(text, at)) {
    at += next.size;
    end = at;
  }
  return end;
}

std::size_t PieceScanner::upper_end(std::string_view text, std::size_t at) const {
  for (Character next = look(text, at); may_be_upper(next); next = look(text, at)) at += next.size;
  return at;
}

std::size_t PieceScanner::number_end(std::string_view text, std::size_t at) const {
  if (rule_.numbers == PieceRule::Numbers::runs) {
    const std::size_t begin = at + (look(text, at).code == U' ' ? 1 : 0);
    const std::size_t end = run_end(text, begin, kNumber);
    return end == begin ? at : end;
  }
  const int most = rule_.numbers == PieceRule::Numbers::threes ? 3 : 1;
  for (int count = 0; count < most; ++count) {
    const Character next = look(text, at);
    if (!next.is(kNumber)) break;
    at += next.size;
  }
  return at;
}

std::size_t PieceScanner::others_end(std::string_view text, std::size_t at) const {
  const auto is_other = [this](const Character& character) {
    return character.size != 0 && !character.is(others_exclude_);
  };
  const std::size_t begin = at + (look(text, at).code == U' ' ? 1 : 0);
  std::size_t end = begin;
  for (Character next = look(text, end); is_other(next); next = look(text, end)) end += next.size;
  if (end == begin) return at;
  if (rule_.behind == PieceRule::Behind::nothing) return end;
  const bool slashes = rule_.behind == PieceRule::Behind::line_ends_and_slashes;
  for (Character next = look(text, end); is_line_end(next) || (slashes && next.code == U'/');
       next = look(text, end)) {
    end += next.size;
  }
  return end;
}

/// What is left are blanks; the first is taken whatever comes.
std::size_t PieceScanner::blanks_end(std::string_view text, std::size_t at) const {
  std::size_t end = at;
  std::size_t last = at;  ///< the last blank of the run
  std::size_t line = at;  ///< past the last line's end in it
  Character next = look(text, at);
  do {
    last = end;
    end += next.size;
    if (is_line_end(next)) line = end;
    next = look(text, end);
  } while (next.is(kBlank));
  if (rule_.blanks == PieceRule::Blanks::line_ends_first && line != at) return line;
  return next.size == 0 || last == at ? end : last;
}

}  // namespace ballast::data
