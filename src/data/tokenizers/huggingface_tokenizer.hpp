#pragma once

#include <memory>

#include "data/tokenizers/tokenizer.hpp"
#include "data/tokenizers/tokenizer_files.hpp"

namespace ballast::data {

/// The tokenizer of a Hugging Face folder: tokenizer.json where there is one, else tokenizer.model,
/// and which tokens begin and end texts. It gives the tokens that the `tokenizers` package or
/// SentencePiece give. A data Error names the file and the key that is wrong or asks for something
/// that Ballast does not compute: nothing is approximated. The files of our own byte
/// tokenizer give that one back.
[[nodiscard]] std::unique_ptr<Tokenizer> make_huggingface_tokenizer(const TokenizerFiles& files);

}  // namespace ballast::data
