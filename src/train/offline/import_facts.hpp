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

/// The tokenizer of a foreign model, if it is one that Ballast reads. For one process.
[[nodiscard]] ImportedTokenizer imported_tokenizer(const ForeignModel& foreign);

/// What stands for a training's identity where nothing was trained: the model's keys, all others at
/// their defaults, no dataset (data.path and data.content_hash are empty).
[[nodiscard]] Identity imported_identity(const ForeignModel& foreign,
                                         const ImportedTokenizer& tokenizer);

/// Manifest::settings of such a checkpoint, for an export to find again what the identity has no
/// place for: run.init is the foreign model, which has the tokenizer.
[[nodiscard]] std::string imported_settings(const ForeignModel& foreign);

}  // namespace ballast::train
