#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "base/profile.hpp"
#include "model/freeze.hpp"
#include "model/grouping.hpp"
#include "model/loss.hpp"
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
  Freeze freeze = Freeze::nothing();
  std::string name{};  ///< of the model among several in a process (ParameterTable)
  /// Records the phases of a step; may be null, and must outlive the model.
  Profile* profile = nullptr;
  /// Workers that scratch is reserved for: at least as many as share out its operations. Results
  /// do not depend on it.
  std::size_t workers = 1;
  /// The loss to minimize; null: CrossEntropyLoss. It is shared: options are copied, and no model
  /// changes its loss.
  std::shared_ptr<const Loss> loss{};
};

}  // namespace ballast::model
