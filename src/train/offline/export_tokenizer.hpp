#pragma once

#include <filesystem>
#include <string>

#include "data/tokenizers/tokenizer_files.hpp"
#include "formats/huggingface/special_tokens.hpp"
#include "train/start/saved_model.hpp"

namespace ballast::train {

/// The tokenizer that goes with an exported model.
struct ExportedTokenizer {
  formats::SpecialTokens special{};
  data::TokenizerFiles files{};  ///< all of which go along; empty where there is none
  std::string note{};            ///< one line on where it is from, or why there is none
};

/// Of a model: the tokenizer in `asked`, a folder, or where that is empty the one that belongs to
/// it. That is a foreign model's own; of a checkpoint the one that it was trained with, which the
/// foreign model has whose weights its run began with, if that is still there, or the checkpoint
/// itself. A usage Error if `asked` holds none; data Errors name a file that cannot be read. For
/// one process.
[[nodiscard]] ExportedTokenizer find_tokenizer(const SavedModel& saved,
                                               const std::filesystem::path& asked);

/// Writes its files into a Hugging Face folder, and a generation_config.json where none is among
/// them. Data Errors name the file.
void write_tokenizer(const ExportedTokenizer& tokenizer, const std::filesystem::path& to);

}  // namespace ballast::train
