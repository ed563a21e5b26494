#pragma once

#include <cstddef>

#include "data/tokenizers/tokenizer_files.hpp"
#include "data/vocabulary/next_text.hpp"

namespace ballast::data {

/// A byte-level BPE tokenizer as files of a Hugging Face folder, trained as train_bpe does. Errors
/// as it has them.
[[nodiscard]] TokenizerFiles trained_bpe_files(std::size_t vocabulary, const NextText& next);

}  // namespace ballast::data
