#pragma once

#include <filesystem>

#include "checkpoint/manifest.hpp"
#include "model/parameters.hpp"

namespace ballast::checkpoint {

/// Throws a data Error that lists the differences between a checkpoint's tensors and a model's.
void require_same_tensors(const Manifest& manifest, const model::ParameterTable& table,
                          const std::filesystem::path& folder);

}  // namespace ballast::checkpoint
