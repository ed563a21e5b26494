#pragma once

#include <span>
#include <string>
#include <vector>

#include "checkpoint/check.hpp"
#include "train/plan/job.hpp"
#include "train/plan/memory_plan.hpp"
#include "train/plan/model_in_job.hpp"

namespace ballast::train {

/// Lines of a log before the first step.
using Lines = std::vector<std::string>;

/// Describes a training that is about to begin: its model and job, `notes` on data, ranks and
/// processors, its mode, precision and memory.
[[nodiscard]] Lines introduce(const Job& job, const ModelInJob& model, const MemoryPlan& plan,
                              std::span<const std::string> notes);

/// Describes the checkpoint that is resumed and what was changed since. `settings`: the present
/// ones, as INI text.
[[nodiscard]] Lines introduce_resumed(const Job& job, const checkpoint::Checked& checkpoint,
                                      const std::string& settings);

}  // namespace ballast::train
