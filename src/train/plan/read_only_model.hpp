#pragma once

#include <string>

#include "model/batch.hpp"
#include "model/model_config.hpp"
#include "model/precision.hpp"

namespace ballast::train {

/// A model that nothing trains: what an evaluation measures, or what a training has beside its own,
/// a teacher for example.
struct ReadOnlyModel {
  std::string
      name{};  ///< unlike that of any other model of the job; empty where it is the only one
  model::ModelConfig model;
  model::BatchShape shape;
  model::Precision precision{};
};

}  // namespace ballast::train
