#pragma once

#include "base/profile.hpp"
#include "base/team.hpp"
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
  /// Who shares out the work; must outlive the model. Null: the caller alone.
  Team* team = nullptr;
  /// Workers that scratch is reserved for: at least the team's. Results do not depend on it.
  std::size_t workers = 1;
};

}  // namespace ballast::model
