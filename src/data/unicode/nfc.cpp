#include "data/unicode/nfc.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "data/unicode/character_class.hpp"
#include "data/unicode/decompositions.hpp"

namespace ballast::data {

namespace {

/// Hangul syllables by their formula (The Unicode Standard, section 3.12).
constexpr char32_t kSyllables = 0xAC00;
constexpr char32_t kLeading = 0x1100;
constexpr char32_t kVowels = 0x1161;
constexpr char32_t kTrailing = 0x11A7;  ///< one before the first: 0 of them is none
constexpr char32_t kLeadingCount = 19;
constexpr char32_t kVowelCount = 21;
constexpr char32_t kTrailingCount = 28;

/// `code` is one of `count` code points from `first`.
constexpr bool is_in(char32_t code, char32_t first, char32_t count) {
  return code >= first && code - first < count;
}

struct Ranked {
  char32_t code;
  std::uint8_t rank;  ///< canonical combining class
};

class Normalizer {
 public:
  Normalizer();

  [[nodiscard]] std::string normalize(std::string_view text) const;

 private:
  static std::uint64_t pair(char32_t first, char32_t second) {
    return std::uint64_t{first} << 32 | second;
  }
  void append_parts(char32_t code, std::vector<Ranked>& parts) const;
  [[nodiscard]] std::optional<char32_t> composed(char32_t first, char32_t second) const;
  void compose(std::vector<Ranked>& parts) const;

  std::unordered_map<char32_t, Decomposition> parts_;
  std::unordered_map<char32_t, std::uint8_t> ranks_;
  std::unordered_map<std::uint64_t, char32_t> wholes_;
};

Normalizer::Normalizer() {
  for (const Decomposition& row : decompositions()) {
    parts_.emplace(row.whole, row);
    if (row.composes) wholes_.emplace(pair(row.first, row.second), row.whole);
  }
  for (const CombiningClass& row : combining_classes()) ranks_.emplace(row.code, row.rank);
}

/// The full decomposition: the first part may have parts itself, the second never has.
void Normalizer::append_parts(char32_t code, std::vector<Ranked>& parts) const {
  if (is_in(code, kSyllables, kLeadingCount * kVowelCount * kTrailingCount)) {
    const char32_t index = code - kSyllables;
    parts.push_back({kLeading + index / (kVowelCount * kTrailingCount), 0});
    parts.push_back({kVowels + index / kTrailingCount % kVowelCount, 0});
    if (index % kTrailingCount != 0) parts.push_back({kTrailing + index % kTrailingCount, 0});
    return;
  }
  if (const auto found = parts_.find(code); found != parts_.end()) {
    append_parts(found->second.first, parts);
    if (found->second.second != 0) append_parts(found->second.second, parts);
    return;
  }
  const auto rank = ranks_.find(code);
  parts.push_back({code, rank == ranks_.end() ? std::uint8_t{0} : rank->second});
}

std::optional<char32_t> Normalizer::composed(char32_t first, char32_t second) const {
  if (is_in(first, kLeading, kLeadingCount) && is_in(second, kVowels, kVowelCount)) {
    return kSyllables + ((first - kLeading) * kVowelCount + (second - kVowels)) * kTrailingCount;
  }
  if (is_in(first, kSyllables, kLeadingCount * kVowelCount * kTrailingCount) &&
      (first - kSyllables) % kTrailingCount == 0 &&
      is_in(second, kTrailing + 1, kTrailingCount - 1)) {
    return first + (second - kTrailing);
  }
  const auto found = wholes_.find(pair(first, second));
  if (found == wholes_.end()) return std::nullopt;
  return found->second;
}

/// The canonical composition (UAX 15, D117): each character joins the last starter, unless another
/// of its rank or above, or another starter, stands between and stays.
void Normalizer::compose(std::vector<Ranked>& parts) const {
  std::optional<std::size_t> starter;
  int last_rank = -1;  ///< of the last character behind the starter that stays; -1: there is none
  std::size_t kept = 0;
  for (const Ranked part : parts) {
    const bool reaches = starter && last_rank < static_cast<int>(part.rank);
    const auto whole = reaches ? composed(parts[*starter].code, part.code) : std::nullopt;
    if (whole) {
      parts[*starter].code = *whole;
      continue;
    }
    if (part.rank == 0) starter = kept;
    last_rank = part.rank == 0 ? -1 : part.rank;
    parts[kept++] = part;
  }
  parts.resize(kept);
}

std::string Normalizer::normalize(std::string_view text) const {
  std::vector<Ranked> parts;
  parts.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const Character character = decode_character(text.substr(at));
    append_parts(character.code, parts);
    at += character.size;
  }
  for (auto begin = parts.begin(); begin != parts.end();) {
    begin = std::find_if(begin, parts.end(), [](const Ranked& part) { return part.rank != 0; });
    const auto end =
        std::find_if(begin, parts.end(), [](const Ranked& part) { return part.rank == 0; });
    std::stable_sort(begin, end, [](const Ranked& a, const Ranked& b) { return a.rank < b.rank; });
    begin = end;
  }
  compose(parts);
  std::string normalized;
  normalized.reserve(text.size());
  for (const Ranked& part : parts) append_utf8(part.code, normalized);
  return normalized;
}

}  // namespace

std::string nfc(std::string_view text) {
  static const Normalizer kNormalizer;
  return kNormalizer.normalize(text);
}

bool is_surely_nfc(std::string_view text) {
  const CharacterClasses& classes = CharacterClasses::table();
  for (std::size_t at = 0; at < text.size();) {
    // The first character that NFC may touch is U+0300, of lead byte 0xCC.
    if (static_cast<unsigned char>(text[at]) < 0xCC) {
      ++at;
      continue;
    }
    const Character character = classes.at(text, at);
    if (character.is(kNfcUnsafe)) return false;
    at += character.size;
  }
  return true;
}

}  // namespace ballast::data
