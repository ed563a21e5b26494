#pragma once

#include "base/json.hpp"
#include "formats/huggingface/config_keys.hpp"
#include "kernels/rope_rule.hpp"
#include "model/model_config.hpp"

namespace ballast::formats {

/// The rotary frequencies that config.json asks for, spelled as transformers 4 does (rope_theta and
/// rope_scaling) or 5 (rope_parameters). `base`: the family's, where the file names none; `model`:
/// with its context. A data Error for a scaling that Ballast does not compute.
[[nodiscard]] kernels::RopeRule read_rope(const ConfigKeys& keys, double base,
                                          const model::ModelConfig& model);

/// Adds the keys of both spellings to `json`: a reader of version 4 that sees only rope_parameters
/// would silently take 10,000 for the base.
void write_rope(const kernels::RopeRule& rope, Json& json);

}  // namespace ballast::formats
