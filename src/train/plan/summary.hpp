#pragma once

#include <string>

#include "model/parameters.hpp"
#include "train/plan/job.hpp"

namespace ballast::train {

/// Lines that describe a training in its log and in a dry run: the model; the mode and the backend
/// on the job's ranks; the types of its numbers. `freeze`: the tensors of `table` that do not
/// train.
[[nodiscard]] std::string describe_model(const model::ModelConfig& model,
                                         const model::ParameterTable& table,
                                         const model::Freeze& freeze);
[[nodiscard]] std::string describe_mode(const Job& job);
[[nodiscard]] std::string describe_precision(const Config& config);

}  // namespace ballast::train
