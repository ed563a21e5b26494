#pragma once

#include "model/model_config.hpp"

namespace ballast::cli {

/// Prints the keys of [model], a line each: what `inspect` ends with.
void print_model_keys(const model::ModelConfig& model);

}  // namespace ballast::cli
