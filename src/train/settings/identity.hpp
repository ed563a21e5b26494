#pragma once

#include <map>
#include <span>
#include <string>

#include "checkpoint/manifest.hpp"
#include "data/dataset.hpp"
#include "model/model_config.hpp"
#include "model/precision.hpp"
#include "train/settings/config.hpp"
#include "train/settings/keys.hpp"

namespace ballast::train {

/// A training's identity as text, by key: kept in the manifest of each of its checkpoints.
using Identity = std::map<std::string, std::string>;

/// The identity of a training: every key that is kept, as text, and facts about its dataset.
[[nodiscard]] Identity make_identity(const Config& config, const data::DatasetInfo& dataset);

/// Throws a data Error if a resume would use another model, dataset or seed. It lists every
/// difference as "key: checkpoint → now". The Role of a key says whether it may change. A key that
/// the checkpoint's version did not have had the value that its Absence means.
void require_same_training(const Identity& checkpoint, const Identity& now);
/// The same with another table of keys, for tests.
void require_same_training(const Identity& checkpoint, const Identity& now,
                           std::span<const Key> rows);

/// Parts of an identity that evaluation and generation need. Data Errors name the key.
[[nodiscard]] model::ModelConfig model_of(const Identity& identity);
/// The same, and a data Error if the manifest lists fewer tensors than the model has, or files too
/// small for its weights. So a wrong manifest is found before memory is allocated for it.
[[nodiscard]] model::ModelConfig model_of(const checkpoint::Manifest& manifest);
[[nodiscard]] model::Precision precision_of(const Identity& identity);
[[nodiscard]] std::size_t number_of(const Identity& identity, const std::string& key);
[[nodiscard]] const std::string& text_of(const Identity& identity, const std::string& key);

}  // namespace ballast::train
