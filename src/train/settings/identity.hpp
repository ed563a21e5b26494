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

/// Every key that is kept, as its row writes it, and what the dataset says of itself.
[[nodiscard]] Identity make_identity(const Config& config, const data::DatasetInfo& dataset);

/// Refuses to go on with another model, dataset or seed: a data Error that lists every difference
/// as "key: checkpoint → now". What may change is up to each key's Role; one that the checkpoint's
/// version did not have was what its Absence means.
void require_same_training(const Identity& checkpoint, const Identity& now);
/// The same with a table of its own, for tests.
void require_same_training(const Identity& checkpoint, const Identity& now,
                           std::span<const Key> rows);

/// The parts that evaluation and generation need, read back. Data Errors name the key.
[[nodiscard]] model::ModelConfig model_of(const Identity& identity);
/// The same; a data Error if the manifest lists fewer tensors than such a model has, or smaller
/// files than its weights fill. Known before anything is made as large as the manifest says.
[[nodiscard]] model::ModelConfig model_of(const checkpoint::Manifest& manifest);
[[nodiscard]] model::Precision precision_of(const Identity& identity);
[[nodiscard]] std::size_t number_of(const Identity& identity, const std::string& key);
[[nodiscard]] const std::string& text_of(const Identity& identity, const std::string& key);

}  // namespace ballast::train
