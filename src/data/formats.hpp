#pragma once

#include <filesystem>
#include <string>

#include "base/words.hpp"
#include "data/sources.hpp"

namespace ballast::data {

/// What a person says that the inputs are.
enum class FormatChoice {
  automatic,  ///< by name and content
  text,       ///< text, whatever the bytes are
  jsonl       ///< JSON lines
};

constexpr auto words_of(EnumTag<FormatChoice>) {
  return std::to_array<Word<FormatChoice>>({{FormatChoice::automatic, "auto"},
                                            {FormatChoice::text, "text"},
                                            {FormatChoice::jsonl, "jsonl"}});
}

/// Whether the file is a dataset of this program, of any version.
[[nodiscard]] bool is_own_dataset(const std::filesystem::path& path);

/// Settles as what each source is read. By itself: JSON lines where the name ends in .jsonl or
/// .ndjson (in any case) or where the content shows it, else text. What is no text as it lies there
/// is refused by a data Error that says what it is and how to get at its text; in a folder, files
/// that this program wrote and files that hold no text are moved to what is left out.
void settle_formats(FoundSources& found, FormatChoice choice, const std::string& field);

}  // namespace ballast::data
