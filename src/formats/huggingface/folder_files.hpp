#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace ballast::formats {

// Files of a Hugging Face folder besides its weights.
inline constexpr const char* kConfigName = "config.json";
inline constexpr const char* kModelCardName = "README.md";

/// The files of `folder` that a tokenizer is made of, templates of chats among them: those that are
/// there, in a fixed order.
[[nodiscard]] std::vector<std::string> tokenizer_files(const std::filesystem::path& folder);

/// Copies a file of one folder to another, byte for byte, and syncs it. A data Error names the file
/// if it cannot be read or written, or if it is a link to a place outside of its folder. Takes at
/// most 1 MiB of memory.
void copy_folder_file(const std::filesystem::path& from, const std::filesystem::path& to,
                      const std::string& name);

/// The text of a tokenizer_config.json for a SentencePiece model that changes no text: the model as
/// Ballast trains it, with its own names for begin, end and unknown.
[[nodiscard]] std::string sentencepiece_config_json();

}  // namespace ballast::formats
