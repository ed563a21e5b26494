#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include "data/tokenizers/tokenizer.hpp"
#include "data/tokenizers/tokenizer_files.hpp"
#include "formats/gguf/gguf_keys.hpp"
#include "formats/gguf/gguf_value.hpp"
#include "formats/huggingface/special_tokens.hpp"

namespace ballast::formats {

/// What the keys of a GGUF file say of a tokenizer besides its tokens.
struct GgufTokenizerUse {
  std::size_t rows = 0;     ///< of the model's embedding: those without a token are marked unused
  SpecialTokens special{};  ///< where the tokenizer itself does not say
  std::string chat_template{};  ///< empty: none
};

/// All keys "tokenizer." from which llama.cpp makes this tokenizer. A usage Error if it has none
/// for it: unigram models, texts cut in a way that it has no name for, prompts that begin with more
/// than <bos>; a data Error if two tokens are written alike, or there are more than rows.
[[nodiscard]] GgufMetadata gguf_tokenizer_keys(const data::Tokenizer& tokenizer,
                                               const GgufTokenizerUse& use);

/// The tokenizer of a GGUF file as files of a Hugging Face folder; empty if it has none. Data
/// Errors name the file and the key that is wrong, or of a kind that is not known.
[[nodiscard]] data::TokenizerFiles gguf_tokenizer_files(const GgufKeys& keys);

/// The tokenizer at `path`: that of a GGUF file, or what data::read_tokenizer_files finds. Data
/// Errors as both have them, and one for a GGUF file without a tokenizer.
[[nodiscard]] data::TokenizerFiles tokenizer_files_at(const std::filesystem::path& path);

}  // namespace ballast::formats
