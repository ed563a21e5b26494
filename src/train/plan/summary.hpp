#pragma once

#include <string>

#include "model/parameters.hpp"
#include "train/plan/job.hpp"

namespace ballast::train {

/// A training in a few lines, the same in its log and in a dry run: what is trained, the mode and
/// the backend in effect on a job's ranks, and what numbers are stored as.
/// `freeze`: what of `table` does not train.
[[nodiscard]] std::string describe_model(const model::ModelConfig& model,
                                         const model::ParameterTable& table,
                                         const model::Freeze& freeze);
[[nodiscard]] std::string describe_mode(const Job& job);
[[nodiscard]] std::string describe_precision(const Config& config);

}  // namespace ballast::train
