#pragma once

#include <vector>

#include "train/settings/config.hpp"
#include "train/settings/key.hpp"

namespace ballast::train {

using Keys = std::vector<Key>;

// The rows of each section; keys() joins them.

[[nodiscard]] Keys model_keys(model::ModelConfig& c);
[[nodiscard]] Keys data_keys(DataConfig& c);
[[nodiscard]] Keys parallel_keys(ParallelConfig& c);
[[nodiscard]] Keys precision_keys(PrecisionConfig& c);
[[nodiscard]] Keys optim_keys(OptimConfig& c);
[[nodiscard]] Keys schedule_keys(ScheduleConfig& c);
[[nodiscard]] Keys checkpoint_keys(CheckpointConfig& c);
[[nodiscard]] Keys monitor_keys(MonitorConfig& c);
[[nodiscard]] Keys experimental_keys(ExperimentalConfig& c);
[[nodiscard]] Keys eval_keys(Config& c);
[[nodiscard]] Keys log_keys(Config& c);
[[nodiscard]] Keys run_keys(RunConfig& c);

// Random numbers count steps in 32 bits.
inline constexpr Limits kSteps{1, UINT32_MAX};
inline constexpr Limits kEvery{0, UINT32_MAX};

/// For keys that every version kept: a checkpoint without them is damaged.
inline const Absence kNeverAbsent = Absence::damage();

}  // namespace ballast::train
