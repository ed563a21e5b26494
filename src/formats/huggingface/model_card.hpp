#pragma once

#include <string>
#include <vector>

namespace ballast::formats {

/// What the README.md of a Hugging Face folder says of its model.
struct ModelCard {
  std::string title;
  std::string model_type;  ///< a family's: "llama"
  std::string about;       ///< a paragraph; Markdown

  /// A line of the table of facts; any text.
  struct Fact {
    std::string what;
    std::string value;
  };
  std::vector<Fact> facts{};
};

/// The text of README.md, with the head in YAML that the Hub and transformers read.
[[nodiscard]] std::string model_card_text(const ModelCard& card);

}  // namespace ballast::formats
