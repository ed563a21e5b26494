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
  Grouping grouping{};  ///< as it stands: one unit a block
  /// Records what the model does, and must outlive it; null: nobody looks.
  Profile* profile = nullptr;
};

}  // namespace ballast::model
