#pragma once

#include <memory>

#include "model/loss.hpp"
#include "train/settings/config.hpp"

namespace ballast::train {

/// The loss that a training minimizes; null: cross-entropy. One row per loss.
[[nodiscard]] std::shared_ptr<const model::Loss> make_loss(const OptimConfig& config);

}  // namespace ballast::train
