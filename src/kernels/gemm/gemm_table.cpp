#include "kernels/gemm/gemm_table.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/ranges.h>
#include <sstream>

#include "base/error.hpp"
#include "base/text.hpp"
#include "kernels/gemm/gemm_factory.hpp"

namespace ballast::kernels {

namespace {

constexpr std::string_view kFormat = "ballast gemm table 1";
constexpr std::string_view kMachine = "machine: ";
constexpr std::string_view kAny = "*";
/// Each product looks for its rule from the top, and a model has some hundred kinds of products.
constexpr std::size_t kMostLines = 10000;

/// Where one line of a table stands, for its errors.
struct Place {
  std::string_view origin;
  std::size_t line;

  [[nodiscard]] Error error(std::string_view problem) const {
    return usage_error("{}:{}: {}", origin, line, problem);
  }
};

bool has(GemmLibrary library) {
  return std::ranges::find(gemm_libraries(), library) != gemm_libraries().end();
}

std::string size_text(const SizeRange& range) {
  if (range.is_any()) return std::string{kAny};
  if (range.least == range.most) return std::to_string(range.least);
  return fmt::format("{}-{}", range.least, range.most);
}

char letter(const std::optional<Transpose>& transpose) {
  if (!transpose) return '*';
  return *transpose == Transpose::yes ? 'T' : 'N';
}

std::string line_of(const GemmRule& rule) {
  return fmt::format("{} {}{} {} {} {} {}\n", rule.type ? name_of(*rule.type) : kAny,
                     letter(rule.transpose_a), letter(rule.transpose_b), size_text(rule.m),
                     size_text(rule.n), size_text(rule.k), name_of(rule.library));
}

std::size_t parse_size(std::string_view word, const Place& place) {
  std::size_t size = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), size);
  if (error != std::errc{} || end != word.data() + word.size()) {
    throw place.error(fmt::format("'{}' is not a size", excerpt(word)));
  }
  return size;
}

SizeRange parse_range(std::string_view word, const Place& place) {
  if (word == kAny) return {};
  const std::size_t dash = word.find('-');
  if (dash == std::string_view::npos) {
    const std::size_t size = parse_size(word, place);
    return {size, size};
  }
  return {parse_size(word.substr(0, dash), place), parse_size(word.substr(dash + 1), place)};
}

std::optional<Transpose> parse_letter(char letter, const Place& place) {
  switch (letter) {
    case '*':
      return std::nullopt;
    case 'N':
      return Transpose::no;
    case 'T':
      return Transpose::yes;
    default:
      throw place.error(fmt::format("'{}' is neither N, T nor *", excerpt({&letter, 1})));
  }
}

std::optional<ElementType> parse_type(std::string_view word, const Place& place) {
  if (word == kAny) return std::nullopt;
  for (const ElementType type : {ElementType::fp32, ElementType::bf16, ElementType::fp16}) {
    if (name_of(type) == word) return type;
  }
  throw place.error(fmt::format("'{}' is no element type", excerpt(word)));
}

GemmLibrary parse_library(std::string_view word, const Place& place) {
  for (const GemmLibrary library : gemm_libraries()) {
    if (name_of(library) == word) return library;
  }
  throw place.error(fmt::format("there is no '{}' here", excerpt(word)));
}

GemmRule parse_rule(const std::string& line, const Place& place) {
  std::istringstream stream{line};
  std::array<std::string, 6> words;
  for (std::string& word : words) stream >> word;
  std::string rest;
  if (words[5].empty() || words[1].size() != 2 || stream >> rest) {
    throw place.error("a rule is 'type transposes m n k library'");
  }
  return {.type = parse_type(words[0], place),
          .transpose_a = parse_letter(words[1][0], place),
          .transpose_b = parse_letter(words[1][1], place),
          .m = parse_range(words[2], place),
          .n = parse_range(words[3], place),
          .k = parse_range(words[4], place),
          .library = parse_library(words[5], place)};
}

/// The rules of all lines that are left, of which `place` has read some before.
std::vector<GemmRule> parse_rules_of(std::istream& stream, Place& place) {
  std::vector<GemmRule> rules;
  for (std::string line; std::getline(stream, line);) {
    if (++place.line > kMostLines) throw place.error("a table has fewer lines");
    if (!line.empty() && line.front() != '#') rules.push_back(parse_rule(line, place));
  }
  return rules;
}

/// The rules of a file, after its two lines of header.
std::vector<GemmRule> parse_file(std::istream& stream, std::string_view origin) {
  std::string line;
  Place place{origin, 1};
  if (!std::getline(stream, line) || line != kFormat) {
    throw place.error(fmt::format("a table starts with '{}'", kFormat));
  }
  place.line = 2;
  std::getline(stream, line);
  const std::string machine = fmt::format("{}{}", kMachine, gemm_machine());
  if (line != machine) {
    throw place.error(fmt::format("it was written for '{}', here is '{}'", excerpt(line), machine));
  }
  return parse_rules_of(stream, place);
}

/// For every processor: measured on AMX and AVX-512 machines, see docs/benchmarks.md.
std::vector<GemmRule> shipped_rules() {
  std::vector<GemmRule> rules;
  const GemmLibrary library =
      has(GemmLibrary::onednn) ? GemmLibrary::onednn : GemmLibrary::openblas;
  if (has(GemmLibrary::panels) && make_gemm(GemmLibrary::panels)->is_native(ElementType::bf16)) {
    // Of a few rows, as a decoder has them, packing the other operand costs more than it saves.
    constexpr std::size_t kFewRows = 31;
    rules.push_back({.type = ElementType::bf16, .m = {0, kFewRows}, .library = library});
    rules.push_back({.type = ElementType::bf16, .library = GemmLibrary::panels});
  }
  rules.push_back({.library = library});
  return rules;
}

}  // namespace

std::string_view name_of(GemmLibrary library) {
  switch (library) {
    case GemmLibrary::openblas:
      return "openblas";
    case GemmLibrary::onednn:
      return "onednn";
    case GemmLibrary::panels:
      return "panels";
  }
  return "?";
}

bool GemmRule::fits(const GemmCall& call) const {
  return (!type || *type == call.type) && (!transpose_a || *transpose_a == call.transpose_a) &&
         (!transpose_b || *transpose_b == call.transpose_b) && m.holds(call.m) && n.holds(call.n) &&
         k.holds(call.k);
}

bool GemmRule::fits_all() const {
  return !type && !transpose_a && !transpose_b && m.is_any() && n.is_any() && k.is_any();
}

GemmRule GemmRule::of(const GemmCall& call, GemmLibrary library) {
  return {call.type,        call.transpose_a, call.transpose_b, {call.m, call.m},
          {call.n, call.n}, {call.k, call.k}, library};
}

GemmTable GemmTable::shipped() { return GemmTable{{}}; }

GemmTable::GemmTable(std::vector<GemmRule> rules) : rules_{std::move(rules)} {
  const auto shipped = shipped_rules();
  rules_.insert(rules_.end(), shipped.begin(), shipped.end());
  // What no call comes to is no part of the table, nor of its text and hash.
  rules_.erase(std::ranges::find_if(rules_, &GemmRule::fits_all) + 1, rules_.end());
}

GemmTable GemmTable::parse(std::string_view text, std::string_view origin) {
  std::istringstream stream{std::string{text}};
  try {
    return GemmTable{parse_file(stream, origin)};
  } catch (const Error& error) {
    throw usage_error("{}; write the table again with 'ballast tune', or leave it out",
                      error.what());
  }
}

GemmTable GemmTable::parse_rules(std::string_view rules, std::string_view origin) {
  std::istringstream stream{std::string{rules}};
  Place place{origin, 0};
  return GemmTable{parse_rules_of(stream, place)};
}

std::string GemmTable::text() const {
  return fmt::format("{}\n{}{}\n# type transposes m n k library: the first that fits\n{}", kFormat,
                     kMachine, gemm_machine(), rules_text());
}

std::string GemmTable::rules_text() const {
  std::string text;
  for (const GemmRule& rule : rules_) text += line_of(rule);
  return text;
}

GemmLibrary GemmTable::choose(const GemmCall& call) const {
  return std::ranges::find_if(rules_, [&](const GemmRule& rule) { return rule.fits(call); })
      ->library;
}

std::vector<GemmLibrary> GemmTable::libraries() const {
  std::vector<GemmLibrary> named;
  for (const GemmLibrary library : gemm_libraries()) {
    if (std::ranges::find(rules_, library, &GemmRule::library) != rules_.end()) {
      named.push_back(library);
    }
  }
  return named;
}

std::string gemm_machine() {
  std::vector<std::string> descriptions;
  for (const GemmLibrary library : gemm_libraries()) {
    descriptions.push_back(make_gemm(library)->description());
  }
  return fmt::format("{}", fmt::join(descriptions, "; "));
}

}  // namespace ballast::kernels
