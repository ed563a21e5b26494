#pragma once

#include <string>

#include "model/batch.hpp"
#include "model/model_config.hpp"
#include "model/precision.hpp"

namespace ballast::train {

/// A model that is not trained: the one of an evaluation, or one beside the model of a training,
/// for example a teacher.
struct ReadOnlyModel {
  /// Unique among the models of the job; empty for an only model.
  std::string name{};
  model::ModelConfig model;
  model::BatchShape shape;
  model::Precision precision{};
};

}  // namespace ballast::train
