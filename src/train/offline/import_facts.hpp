#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "train/settings/identity.hpp"
#include "train/start/saved_model.hpp"

namespace ballast::train {

/// The tokenizer that an imported checkpoint holds.
struct ImportedTokenizer {
  std::string name = "none";          ///< as data.tokenizer
  std::string hash{};                 ///< as data.tokenizer_hash; empty where there is none
  std::vector<std::uint8_t> model{};  ///< as Tokenizer::model()
  std::string note{};                 ///< one line on what it is, or why there is none
};

/// The tokenizer of a Hugging Face folder, if it is one that Ballast reads. For one process.
[[nodiscard]] ImportedTokenizer tokenizer_of_folder(const std::filesystem::path& folder,
                                                    std::size_t vocabulary);

/// What stands for a training's identity where nothing was trained: the model's keys, all others at
/// their defaults, no dataset (data.path and data.content_hash are empty).
[[nodiscard]] Identity imported_identity(const ForeignFolder& foreign,
                                         const ImportedTokenizer& tokenizer);

/// Manifest::settings of such a checkpoint, for an export to find again what the identity has no
/// place for: run.init is the folder, which has the tokenizer.
[[nodiscard]] std::string imported_settings(const ForeignFolder& foreign);

}  // namespace ballast::train
