#pragma once

#include <filesystem>
#include <string>

#include "base/words.hpp"
#include "data/sources.hpp"

namespace ballast::data {

/// The format of the inputs, as the user names it.
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

/// Decides how each source is read. `automatic`: as JSON lines if the name ends in .jsonl or
/// .ndjson (in any case) or the content shows it, else as text. A file that is not text is refused
/// with a data Error that says what it is and how to get its text; in a folder, files that this
/// program wrote and files without text are left out instead.
void settle_formats(FoundSources& found, FormatChoice choice, const std::string& field);

}  // namespace ballast::data
