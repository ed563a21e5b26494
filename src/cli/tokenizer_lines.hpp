#pragma once

#include <functional>

#include "data/tokenizers/tokenizer_files.hpp"

namespace ballast::cli {

/// Prints what `inspect` says of a model's tokenizer and of its chat template, a line each. `read`
/// gives its files; a tokenizer that is not computed here is one to tell of, no error.
void print_tokenizer_lines(const std::function<data::TokenizerFiles()>& read);

}  // namespace ballast::cli
