#include "formats/huggingface/model_card.hpp"

#include <fmt/format.h>

#include "base/text.hpp"

namespace ballast::formats {

namespace {

constexpr std::size_t kLongValue = 1024;

/// Text of any origin in a cell of a table: one line, which ends neither the cell nor begins HTML.
std::string cell(const std::string& text) {
  std::string escaped;
  for (const char letter : excerpt(text, kLongValue)) {
    if (letter == '|' || letter == '<' || letter == '`' || letter == '*') {
      escaped += '\\';
    }
    escaped += letter;
  }
  return escaped;
}

}  // namespace

std::string model_card_text(const ModelCard& card) {
  std::string text = fmt::format(
      "---\n"
      "library_name: transformers\n"
      "pipeline_tag: text-generation\n"
      "tags:\n"
      "- ballast\n"
      "- {}\n"
      "---\n\n"
      "# {}\n\n"
      "{}\n",
      card.model_type, cell(card.title), card.about);
  if (card.facts.empty()) return text;
  text += "\n| | |\n|---|---|\n";
  for (const auto& [what, value] : card.facts) {
    text += fmt::format("| {} | {} |\n", cell(what), cell(value));
  }
  return text;
}

}  // namespace ballast::formats
