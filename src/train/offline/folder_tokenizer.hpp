#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>

#include "data/tokenizers/tokenizer.hpp"

namespace ballast::train {

/// The tokenizer of a Hugging Face folder; null where it holds none. `rows`: of the model's
/// embedding, of which a tokenizer may leave some unused. A data Error names the file and what in it
/// is not computed here, or says that there are more tokens than rows. For one process.
[[nodiscard]] std::unique_ptr<data::Tokenizer> folder_tokenizer(const std::filesystem::path& folder,
                                                                std::size_t rows);

}  // namespace ballast::train
