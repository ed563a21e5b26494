#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

#include "data/tokenizers/tokenizer_files.hpp"
#include "formats/huggingface/config_keys.hpp"

namespace ballast::formats {

/// The tokens that a Hugging Face folder gives a meaning.
struct SpecialTokens {
  std::optional<std::int32_t> bos{};
  std::vector<std::int32_t> eos{};  ///< texts end at any of them; the first is "the" one
  std::optional<std::int32_t> pad{};
};

/// bos_token_id, eos_token_id and pad_token_id, of a model with so many tokens. A data Error names
/// the file and the key of an id that is none of them.
[[nodiscard]] SpecialTokens special_tokens_of(const ConfigKeys& keys, std::size_t vocabulary);
/// The same of the text of a config.json or a generation_config.json; `file` is for messages.
[[nodiscard]] SpecialTokens parse_special_tokens(std::string_view text,
                                                 const std::filesystem::path& file,
                                                 std::size_t vocabulary);
/// The same of the config.json of a folder, whatever model it is of; nothing where there is no such
/// file.
[[nodiscard]] std::optional<SpecialTokens> read_special_tokens(const std::filesystem::path& folder,
                                                               std::size_t vocabulary);

/// The files of a folder's tokenizer, whose generation_config.json names no token that is none of
/// the model's.
[[nodiscard]] data::TokenizerFiles checked_tokenizer_files(const std::filesystem::path& folder,
                                                           std::size_t vocabulary);

}  // namespace ballast::formats
