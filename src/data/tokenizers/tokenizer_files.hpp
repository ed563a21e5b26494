#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ballast::data {

inline constexpr const char* kTokenizerJsonName = "tokenizer.json";
/// A SentencePiece model.
inline constexpr const char* kSentencePieceName = "tokenizer.model";
inline constexpr const char* kTokenizerConfigName = "tokenizer_config.json";
inline constexpr const char* kSpecialTokensName = "special_tokens_map.json";
inline constexpr const char* kGenerationConfigName = "generation_config.json";

/// The files of a Hugging Face folder that a tokenizer is made of, and the rules of its use, which
/// generation_config.json holds: texts by name.
using TokenizerFiles = std::map<std::string, std::string, std::less<>>;

/// Whether the rules of a tokenizer are among them, in tokenizer.json or tokenizer.model; the other
/// files say how to use it.
[[nodiscard]] bool makes_tokenizer(const TokenizerFiles& files);

/// The text of the file with the rules; empty where there is none.
[[nodiscard]] std::string_view rules_in(const TokenizerFiles& files);

/// Those that are in a folder; empty where there are none. A data Error names a file that is larger
/// than a useful one or a link to a place outside of the folder.
[[nodiscard]] TokenizerFiles tokenizer_files_in(const std::filesystem::path& folder);

/// The tokenizer at `path`: a folder, or a file for itself, which is a tokenizer.json if its name
/// ends in ".json" and a SentencePiece model otherwise; a file called tokenizer.json or
/// tokenizer.model stands for its folder. Data Errors as tokenizer_files_in has them, and one for a
/// folder without a tokenizer.
[[nodiscard]] TokenizerFiles read_tokenizer_files(const std::filesystem::path& path);

/// All of them as one file, which datasets and checkpoints keep: a line of JSON with their names
/// and sizes, then their bytes.
[[nodiscard]] std::vector<std::uint8_t> pack(const TokenizerFiles& files);
/// The reverse; a data Error if `packed` is no such file.
[[nodiscard]] TokenizerFiles unpack_tokenizer_files(std::span<const std::uint8_t> packed);

}  // namespace ballast::data
