#pragma once

#include "data/tokenizers/tokenizer_files.hpp"

namespace ballast::data {

/// The byte tokenizer as files of a Hugging Face folder, for programs that know no bytes: byte
/// pairs without merges.
[[nodiscard]] TokenizerFiles byte_tokenizer_files();

}  // namespace ballast::data
