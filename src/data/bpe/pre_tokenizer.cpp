#include "data/bpe/pre_tokenizer.hpp"

#include <array>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "base/text.hpp"
#include "data/bpe/json_fields.hpp"

namespace ballast::data {

namespace {

using Contractions = PieceRule::Contractions;
using Before = PieceRule::Before;
using Letters = PieceRule::Letters;
using Numbers = PieceRule::Numbers;
using Behind = PieceRule::Behind;
using Blanks = PieceRule::Blanks;

constexpr PieceRule kGpt2{Contractions::lower_case, Before::space, Letters::plain, Numbers::runs,
                          Behind::nothing,          Blanks::alike};
constexpr PieceRule kSmolLm{Contractions::lower_case, Before::space,   Letters::plain,
                            Numbers::cut_first,       Behind::nothing, Blanks::alike};
constexpr PieceRule kLlama3{Contractions::any_case, Before::no_line_end, Letters::plain,
                            Numbers::threes,        Behind::line_ends,   Blanks::line_ends_first};
constexpr PieceRule kQwen2{Contractions::any_case, Before::no_line_end, Letters::plain,
                           Numbers::single,        Behind::line_ends,   Blanks::line_ends_first};
constexpr PieceRule kQwen35{Contractions::any_case, Before::no_line_end, Letters::with_marks,
                            Numbers::single,        Behind::line_ends,   Blanks::line_ends_first};
constexpr PieceRule kTekken{
    Contractions::none, Before::no_line_end,           Letters::by_case,
    Numbers::single,    Behind::line_ends_and_slashes, Blanks::line_ends_first};
constexpr PieceRule kGpt4o{
    Contractions::of_a_word, Before::no_line_end,           Letters::by_case,
    Numbers::threes,         Behind::line_ends_and_slashes, Blanks::line_ends_first};

constexpr std::array<PreTokenizer, 7> kKnown{{
    {"gpt2", "", kGpt2, Normalization::none, "gpt-2", ""},
    {"smollm", "", kSmolLm, Normalization::none, "smollm", ""},
    {"llama3",
     R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*)"
     R"(|\s*[\r\n]+|\s+(?!\S)|\s+)",
     kLlama3, Normalization::none, "dbrx", "llama-bpe"},
    {"qwen2",
     R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*)"
     R"(|\s*[\r\n]+|\s+(?!\S)|\s+)",
     kQwen2, Normalization::nfc, "qwen2", ""},
    {"qwen35",
     R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+)"
     R"([\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
     kQwen35, Normalization::nfc, "qwen35", ""},
    {"tekken",
     R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+)"
     R"(|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*)"
     R"(|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
     kTekken, Normalization::none, "", "tekken"},
    {"gpt4o",
     R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+)"
     R"((?i:'s|'t|'re|'ve|'m|'ll|'d)?)"
     R"(|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*)"
     R"((?i:'s|'t|'re|'ve|'m|'ll|'d)?)"
     R"(|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
     kGpt4o, Normalization::none, "gpt-4o", ""},
}};

std::string known_names() {
  std::string names;
  for (const PreTokenizer& known : kKnown) {
    names += (names.empty() ? "" : ", ") + std::string{known.name};
  }
  return names;
}

/// The steps of a pre-tokenizer, in their order: digits, split, bytes.
struct Steps {
  bool cuts_digits = false;
  std::optional<std::string> pattern;
  bool ends_in_bytes = false;
  bool own_pattern = false;  ///< of ByteLevel
};

[[nodiscard]] Error unknown(std::string_view what) {
  return data_error(
      "its pre_tokenizer is not known: {}; known are {}. Others are refused: a pre-tokenizer that "
      "is nearly the same gives other tokens",
      what, known_names());
}

std::string read_split(const JsonFields& fields) {
  const JsonFields pattern = fields.object("pattern");
  pattern.allow({"Regex"});
  const std::string regex = pattern.text("Regex");
  const std::string behavior = fields.text("behavior");
  // The known patterns match all of a text, so that to keep what they match and to cut at it are
  // the same.
  const bool inverted = fields.boolean("invert");
  if (behavior != (inverted ? "Removed" : "Isolated")) {
    throw unknown(
        fmt::format("a Split with the behavior '{}' and invert {}", excerpt(behavior), inverted));
  }
  return regex;
}

void add_step(const Json& value, Steps& steps) {
  const JsonFields fields{value, "pre_tokenizer"};
  const std::string type = fields.text("type");
  if (steps.ends_in_bytes) throw unknown(fmt::format("{} after ByteLevel", excerpt(type)));
  if (type == "Digits") {
    fields.allow({"type", "individual_digits"});
    if (steps.cuts_digits || steps.pattern || !fields.boolean("individual_digits")) {
      throw unknown("Digits that are not individual, or not first");
    }
    steps.cuts_digits = true;
  } else if (type == "Split") {
    fields.allow({"type", "pattern", "behavior", "invert"});
    if (steps.pattern) throw unknown("two of type Split");
    steps.pattern = read_split(fields);
  } else if (type == "ByteLevel") {
    fields.allow({"type", "add_prefix_space", "trim_offsets", "use_regex"});
    if (fields.boolean("add_prefix_space")) throw unknown("ByteLevel with add_prefix_space");
    steps.ends_in_bytes = true;
    steps.own_pattern = !fields.has("use_regex") || fields.boolean("use_regex");
  } else {
    throw unknown(fmt::format("the type '{}'", excerpt(type)));
  }
}

Steps read_steps(const Json& value) {
  Steps steps;
  const JsonFields fields{value, "pre_tokenizer"};
  if (fields.text("type") != "Sequence") {
    add_step(value, steps);
  } else {
    fields.allow({"type", "pretokenizers"});
    for (const Json& step : fields.list("pretokenizers")) add_step(step, steps);
  }
  if (!steps.ends_in_bytes) throw unknown("one without ByteLevel at its end");
  return steps;
}

}  // namespace

std::span<const PreTokenizer> known_pre_tokenizers() { return kKnown; }

const PreTokenizer& read_pre_tokenizer(const Json& value) {
  const Steps steps = read_steps(value);
  if (steps.own_pattern == steps.pattern.has_value()) {
    throw unknown(steps.pattern ? "a Split, and ByteLevel with use_regex"
                                : "ByteLevel without use_regex, and no Split");
  }
  for (const PreTokenizer& known : kKnown) {
    const bool cuts_digits = known.rule.numbers == Numbers::cut_first;
    if (known.pattern == steps.pattern.value_or("") && cuts_digits == steps.cuts_digits) {
      return known;
    }
  }
  throw unknown(fmt::format("{}the pattern '{}'", steps.cuts_digits ? "Digits and " : "",
                            excerpt(steps.pattern.value_or(""))));
}

}  // namespace ballast::data
