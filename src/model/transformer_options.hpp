#pragma once

#include "base/profile.hpp"
#include "model/grouping.hpp"
#include "model/precision.hpp"
#include "model/recompute.hpp"

namespace ballast::model {

enum class Mode { training, evaluation };

/// How a model works, whatever it computes.
struct TransformerOptions {
  Mode mode = Mode::training;
  Precision precision{};
  RecomputePolicy recompute{};
  Grouping grouping{};         ///< as it stands: one unit a block
  Profile* profile = nullptr;  ///< records what the model does; must outlive it
};

}  // namespace ballast::model
