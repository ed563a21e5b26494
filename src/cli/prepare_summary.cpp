#include "cli/prepare_summary.hpp"

#include <cstdio>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.hpp"

namespace ballast::cli {

namespace {

using data::Boundaries;
using data::SplitRule;

/// Training segments of fewer tokens get a warning: data.seq_len may well be longer.
constexpr std::uint64_t kShortSegment = 16384;

std::string counted(std::uint64_t count, std::string_view one, std::string_view several) {
  return fmt::format("{} {}", with_thousands(count), count == 1 ? one : several);
}

std::string what_was_read(const data::PrepareSummary& s) {
  std::vector<std::string> parts;
  if (s.text_files > 0) parts.push_back(counted(s.text_files, "text file", "text files"));
  if (s.json_files > 0) {
    parts.push_back(counted(s.json_files, "file of JSON lines", "files of JSON lines"));
  }
  std::string words = fmt::format("{}", fmt::join(parts, ", "));
  if (s.empty_files > 0) words += fmt::format(" ({} empty)", with_thousands(s.empty_files));
  return fmt::format("{}: {}", words, counted(s.documents, "document", "documents"));
}

std::string boundaries(const data::PrepareOptions& options, const data::PrepareSummary& s) {
  if (s.boundaries == Boundaries::marked) return "; <bos> begins each (--join joins them)";
  if (s.boundaries == Boundaries::starts) return "; no token is added between them";
  if (s.boundaries == Boundaries::none) return "";
  return options.join->empty()
             ? "; joined without a mark"
             : fmt::format("; joined by {}", counted(options.join->size(), "byte", "bytes"));
}

std::string short_segments(const data::PrepareSummary& s) {
  const std::uint64_t longest = s.longest_train_segment;
  if (longest == s.train_tokens || longest >= kShortSegment) return "";
  return fmt::format("; the longest run without a cut has {}: train with a data.seq_len below",
                     with_thousands(longest));
}

std::string_view why_empty(SplitRule rule, bool is_of_ids) {
  switch (rule) {
    case SplitRule::blocks:
      if (is_of_ids) {
        return "they end before their 20th block of 4,096, which --split blocks holds out; use "
               "--split tail";
      }
      return "the text ends before its 20th block of 16 KiB, which --split blocks holds out; use "
             "--split tail";
    case SplitRule::documents:
      return "--split documents holds out each 20th document, or the last of fewer; use --split "
             "tail";
    case SplitRule::tail:
      return is_of_ids ? "they are too few" : "the text is too short";
  }
  return "";
}

}  // namespace

void print_summary(const data::PrepareOptions& options, const data::PrepareSummary& s,
                   double elapsed_s) {
  const std::uint64_t sources = s.text_files + s.json_files;
  const std::string amount =
      s.is_of_ids ? counted(s.train_tokens + s.validation_tokens, "token id", "token ids")
                  : human_bytes(s.raw_bytes);
  fmt::print("{}: {} from {} in {}\n", options.output.string(), amount,
             counted(sources, "source", "sources"), human_duration(elapsed_s));
  fmt::print("  read        {}{}\n", what_was_read(s), boundaries(options, s));
  for (const std::string& line : s.left_out.describe()) fmt::print("  left out    {}\n", line);
  if (s.skipped.count > 0) {
    fmt::print("  skipped     {} without {} that can be used\n",
               counted(s.skipped.count, "line", "lines"), s.is_of_ids ? "token ids" : "a text");
    for (const std::string& line : s.skipped.examples) fmt::print("              {}\n", line);
  }
  fmt::print("  train       {} tokens{}\n", with_thousands(s.train_tokens), short_segments(s));
  fmt::print("  validation  {} tokens\n", with_thousands(s.validation_tokens));
  fmt::print("  vocabulary  {}\n", with_thousands(s.vocabulary));
}

void warn_of_empty_splits(const data::PrepareOptions& options, const data::PrepareSummary& s) {
  const bool wants_validation = options.split != SplitRule::tail || options.validation_fraction > 0;
  // A window has an input and a label.
  const bool lacks_validation = wants_validation && s.validation_tokens < 2;
  if (s.train_tokens >= 2 && !lacks_validation) return;
  const std::string_view missing = s.train_tokens < 2 ? "to train on"
                                   : s.is_of_ids      ? "are held out"
                                                      : "is held out";
  std::fflush(stdout);  // the summary comes first where both go to one place
  const std::string_view what = s.is_of_ids ? "token ids" : "text";
  fmt::print(stderr, "ballast: warning: no {} {}: {}, or prepare more {}\n", what, missing,
             why_empty(options.split, s.is_of_ids), what);
}

}  // namespace ballast::cli
