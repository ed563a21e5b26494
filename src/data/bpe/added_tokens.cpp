#include "data/bpe/added_tokens.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/text.hpp"
#include "data/unicode/character_class.hpp"
#include "data/unicode/utf8.hpp"

namespace ballast::data {

namespace {

std::size_t blanks_begin(std::string_view text, std::size_t end, std::size_t from) {
  const CharacterClasses& classes = CharacterClasses::table();
  while (end > from) {
    const Character last = classes.before(text, end);
    if (!last.is(kBlank)) break;
    end -= last.size;
  }
  return end;
}

std::size_t blanks_end(std::string_view text, std::size_t begin) {
  const CharacterClasses& classes = CharacterClasses::table();
  for (Character next = classes.at(text, begin); next.is(kBlank); next = classes.at(text, begin)) {
    begin += next.size;
  }
  return begin;
}

/// Of tokens in order that agree in their first `size` bytes and have more, those that have `byte`
/// next.
std::span<const AddedToken> narrowed(std::span<const AddedToken> tokens, std::size_t size,
                                     unsigned char byte) {
  const auto next = [size](const AddedToken& token) {
    return static_cast<unsigned char>(token.content[size]);
  };
  return {std::ranges::lower_bound(tokens, byte, {}, next),
          std::ranges::upper_bound(tokens, byte, {}, next)};
}

}  // namespace

AddedTokenFinder::AddedTokenFinder(std::vector<AddedToken> tokens)
    : tokens_{std::move(tokens)}, first_bytes_{} {
  std::ranges::sort(tokens_, {}, &AddedToken::content);
  const auto twice = std::ranges::adjacent_find(tokens_, {}, &AddedToken::content);
  if (twice != tokens_.end()) {
    throw data_error("the added tokens {} and {} are both looked for as '{}'", twice->id,
                     (twice + 1)->id, excerpt(twice->content));
  }
  for (const AddedToken& token : tokens_) {
    first_bytes_[static_cast<unsigned char>(token.content.front())] = true;
    longest_ = std::max(longest_, token.content.size());
  }
}

/// Narrows the tokens down to those that begin with ever more bytes of the text; one that is read
/// to its end is the first of them.
const AddedToken* AddedTokenFinder::longest_at(std::string_view text, std::size_t at) const {
  const AddedToken* longest = nullptr;
  std::span<const AddedToken> left{tokens_};
  for (std::size_t size = 0; !left.empty(); ++size) {
    if (left.front().content.size() == size) {
      longest = &left.front();
      left = left.subspan(1);
    }
    if (at + size == text.size()) break;
    left = narrowed(left, size, static_cast<unsigned char>(text[at + size]));
  }
  return longest;
}

bool AddedTokenFinder::stands_alone(std::string_view text, std::size_t begin,
                                    std::size_t end) const {
  const CharacterClasses& classes = CharacterClasses::table();
  return !classes.before(text, begin).is(kWord) && !classes.at(text, end).is(kWord);
}

std::optional<AddedTokenFinder::Found> AddedTokenFinder::find(std::string_view text,
                                                              Search& search) const {
  while (search.next < text.size()) {
    const std::size_t begin = search.next;
    const AddedToken* token = nullptr;
    if (first_bytes_[static_cast<unsigned char>(text[begin])]) token = longest_at(text, begin);
    search.next = begin + (token == nullptr ? 1 : token->content.size());
    if (token == nullptr) continue;
    Found found{begin, search.next, token->id};
    if (token->words == OfWords::single && !stands_alone(text, found.begin, found.end)) continue;
    if (token->before == BlanksBeside::belong_to_it) {
      found.begin = blanks_begin(text, found.begin, search.left);
    }
    if (token->behind == BlanksBeside::belong_to_it) found.end = blanks_end(text, found.end);
    search.left = found.end;
    return found;
  }
  return std::nullopt;
}

/// Whether a token that begins at `begin` ends at `at` or behind it, or goes on where the text
/// ends.
bool AddedTokenFinder::may_reach(std::string_view text, std::size_t begin, std::size_t at) const {
  std::span<const AddedToken> left{tokens_};
  for (std::size_t size = 0; !left.empty(); ++size) {
    if (begin + size >= at && left.front().content.size() == size) return true;
    if (left.front().content.size() == size) left = left.subspan(1);
    if (left.empty()) break;
    if (begin + size == text.size()) return true;
    left = narrowed(left, size, static_cast<unsigned char>(text[begin + size]));
  }
  return false;
}

bool AddedTokenFinder::touches(std::string_view text, std::size_t at) const {
  const std::size_t from = at - std::min(at, longest_);
  for (std::size_t begin = from; begin <= at && begin < text.size(); ++begin) {
    if (first_bytes_[static_cast<unsigned char>(text[begin])] && may_reach(text, begin, at)) {
      return true;
    }
  }
  return false;
}

}  // namespace ballast::data
