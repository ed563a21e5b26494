#pragma once

#include <string>

#include "formats/huggingface/model_card.hpp"
#include "model/parameters.hpp"
#include "train/start/saved_model.hpp"

namespace ballast::train {

/// What is known of a model and its training, for the README.md of its folder: size; of a
/// checkpoint steps, tokens, dataset and optimizer, and the loss on held-out text where the run's
/// log has one of that step. `title`: the model's name; `program`: "ballast 0.2.0 (commit ...)".
/// For one process.
[[nodiscard]] formats::ModelCard card_of(const SavedModel& saved,
                                         const model::ParameterTable& table,
                                         const std::string& title, const std::string& program);

}  // namespace ballast::train
