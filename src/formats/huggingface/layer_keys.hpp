#pragma once

#include <cstddef>

#include "formats/huggingface/config_keys.hpp"
#include "formats/huggingface/family.hpp"
#include "model/model_config.hpp"

namespace ballast::formats {

/// ModelConfig::nope_every of a model of so many layers: SmolLM3 lists the layers that rotate, or
/// names every which one does not. A data Error if the list follows no such rule.
[[nodiscard]] std::size_t read_nope_every(const ConfigKeys& keys, const Family& family,
                                          std::size_t layers);

/// Which layers have a window, from sliding_window, layer_types and what the family does without
/// them. `model`: with its layers and those that rotate. A data Error if the layers follow no rule
/// that a Window can say.
[[nodiscard]] model::Window read_window(const ConfigKeys& keys, const Family& family,
                                        const model::ModelConfig& model);

/// Adds the keys that say these two, as the family spells them.
void write_layers(const Family& family, const model::ModelConfig& model, Json& json);

}  // namespace ballast::formats
