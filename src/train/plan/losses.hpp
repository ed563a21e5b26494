#pragma once

#include <memory>

#include "model/loss.hpp"
#include "train/settings/config.hpp"

namespace ballast::train {

/// What a training makes small; null: cross-entropy. One row a loss.
[[nodiscard]] std::shared_ptr<const model::Loss> make_loss(const OptimConfig& config);

}  // namespace ballast::train
