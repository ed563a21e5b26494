#pragma once

#include <memory>
#include <vector>

#include "fsdp/shard_layout.hpp"
#include "train/settings/config.hpp"
#include "train/watch/step_observer.hpp"

namespace ballast::train {

/// The observers of every step that the configuration asks for. `layout` must outlive them.
[[nodiscard]] std::vector<std::unique_ptr<StepObserver>> standing_observers(
    const Config& config, const fsdp::ShardLayout& layout);

}  // namespace ballast::train
