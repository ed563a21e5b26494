#include "data/bpe/space_marks.hpp"

#include <optional>

#include "base/error.hpp"
#include "base/text.hpp"

namespace ballast::data {

namespace {

using Before = SpaceMarks::Before;
using Pieces = SpaceMarks::Pieces;
using WrittenBy = SpaceMarks::WrittenBy;

[[nodiscard]] Error unknown(std::string_view field, std::string_view what) {
  return data_error(
      "its {} is not known: {}; another one than those of SentencePiece's make is "
      "refused, since it may give other tokens",
      field, what);
}

std::string replaced(std::string_view text, std::string_view from, std::string_view to) {
  std::string result;
  for (;;) {
    const std::size_t at = text.find(from);
    result += text.substr(0, at);
    if (at == std::string_view::npos) return result;
    result += to;
    text.remove_prefix(at + from.size());
  }
}

/// Whether it is a step {"type": "Replace", "pattern": {"String": from}, "content": to}.
bool is_replacement(const JsonFields& step, std::string_view from, std::string_view to) {
  step.allow({"type", "pattern", "content"});
  const JsonFields pattern = step.object("pattern");
  return pattern.has("String") && pattern.text("String") == from && step.text("content") == to;
}

struct Normalizers {
  bool prepends = false;
  bool marks = false;
};

void add_normalizer(const JsonFields& step, Normalizers& found) {
  const std::string type = step.text("type");
  if (type == "Prepend" && !found.prepends && !found.marks) {
    step.allow({"type", "prepend"});
    if (step.text("prepend") != kSpaceMark) throw unknown("normalizer", "Prepend of another text");
    found.prepends = true;
  } else if (type == "Replace" && !found.marks) {
    if (!is_replacement(step, " ", kSpaceMark)) {
      throw unknown("normalizer", "Replace of something else than a space by U+2581");
    }
    found.marks = true;
  } else {
    throw unknown("normalizer", fmt::format("the type '{}' at its place", excerpt(type)));
  }
}

Normalizers read_normalizers(const JsonFields& document) {
  Normalizers found;
  if (document.is_null("normalizer")) return found;
  const JsonFields normalizer = document.object("normalizer");
  if (normalizer.text("type") != "Sequence") {
    add_normalizer(normalizer, found);
  } else {
    normalizer.allow({"type", "normalizers"});
    for (const Json& step : normalizer.list("normalizers")) {
      add_normalizer(JsonFields{step, "normalizer"}, found);
    }
  }
  if (found.prepends && !found.marks) throw unknown("normalizer", "Prepend without Replace");
  return found;
}

/// Gemma's: where spaces are marked before, a Split at spaces finds none.
bool is_split_at_spaces(const JsonFields& fields) {
  if (fields.text("type") != "Split") return false;
  fields.allow({"type", "pattern", "behavior", "invert"});
  const JsonFields pattern = fields.object("pattern");
  return pattern.has("String") && pattern.text("String") == " " && !fields.boolean("invert");
}

Before read_scheme(const JsonFields& fields) {
  const std::string scheme = fields.text("prepend_scheme");
  if (scheme == "never") return Before::nothing;
  if (scheme == "first") return Before::first_stretch;
  if (scheme == "always") return Before::each_stretch;
  throw unknown("pre_tokenizer",
                fmt::format("Metaspace with prepend_scheme '{}'", excerpt(scheme)));
}

SpaceMarks read_metaspace(const JsonFields& fields) {
  if (const std::string type = fields.text("type"); type != "Metaspace") {
    throw unknown("pre_tokenizer", fmt::format("the type '{}'", excerpt(type)));
  }
  fields.allow({"type", "replacement", "prepend_scheme", "split"});
  if (fields.text("replacement") != kSpaceMark) {
    throw unknown("pre_tokenizer", "Metaspace with another replacement than U+2581");
  }
  const bool splits = !fields.has("split") || fields.boolean("split");
  return {WrittenBy::pre_tokenizer, read_scheme(fields), splits ? Pieces::at_marks : Pieces::whole};
}

}  // namespace

SpaceMarks read_space_marks(const JsonFields& document) {
  const Normalizers normalizers = read_normalizers(document);
  const Before before = normalizers.prepends ? Before::each_always : Before::nothing;
  if (document.is_null("pre_tokenizer")) {
    if (!normalizers.marks) throw unknown("pre_tokenizer", "none, where nothing marks spaces");
    return {WrittenBy::normalizer, before, Pieces::whole};
  }
  const JsonFields pre_tokenizer = document.object("pre_tokenizer");
  if (normalizers.marks && is_split_at_spaces(pre_tokenizer))
    return {WrittenBy::normalizer, before, Pieces::whole};
  if (normalizers.marks) {
    throw unknown("pre_tokenizer", "one behind a normalizer that marks spaces");
  }
  return read_metaspace(pre_tokenizer);
}

FirstSpace read_first_space(const JsonFields& document) {
  const JsonFields decoder = document.object("decoder");
  const std::string type = decoder.text("type");
  if (type != "Sequence") throw unknown("decoder", fmt::format("the type '{}'", excerpt(type)));
  decoder.allow({"type", "decoders"});
  std::string types;
  for (const Json& value : decoder.list("decoders")) {
    const JsonFields step{value, "decoder"};
    types += (types.empty() ? "" : ", ") + excerpt(step.text("type"));
    if (step.text("type") == "Replace" && !is_replacement(step, kSpaceMark, " ")) {
      throw unknown("decoder", "Replace of something else than U+2581 by a space");
    }
    if (step.text("type") == "Strip" &&
        (step.text("content") != " " || step.value("start") != 1 || step.value("stop") != 0)) {
      throw unknown("decoder", "Strip of something else than one space before a text");
    }
  }
  if (types == "Replace, ByteFallback, Fuse") return FirstSpace::stays;
  if (types == "Replace, ByteFallback, Fuse, Strip") return FirstSpace::is_taken_away;
  throw unknown("decoder", fmt::format("the Sequence {}", excerpt(types)));
}

std::string mark_spaces(std::string_view text) { return replaced(text, " ", kSpaceMark); }

std::string unmark_spaces(std::string_view text) { return replaced(text, kSpaceMark, " "); }

}  // namespace ballast::data
