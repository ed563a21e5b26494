#pragma once

#include <cstdint>
#include <span>

#include "data/tokenizers/tokenizer_files.hpp"
#include "data/vocabulary/tokenizer_content.hpp"

namespace ballast::data {

/// Tokens that begin and end texts; -1 where there is no such token.
struct SpecialRoles {
  std::int32_t bos = -1;
  std::int32_t eos = -1;
};

/// What the files of a tokenizer say of them: tokenizer_config.json, else special_tokens_map.json,
/// else generation_config.json. A data Error names the file and the key if that is no token of
/// `entries`.
[[nodiscard]] SpecialRoles special_roles(const TokenizerFiles& files,
                                         std::span<const VocabularyEntry> entries);

/// Whether tokenizer_config.json says so of a key: "add_bos_token". `fallback` where it does not.
[[nodiscard]] bool tokenizer_flag(const TokenizerFiles& files, std::string_view key, bool fallback);

}  // namespace ballast::data
