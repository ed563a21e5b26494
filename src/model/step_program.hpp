#pragma once

#include <vector>

#include "model/parameters.hpp"

namespace ballast::model {

enum class Pass { forward, backward };

/// Whether the unit's gradient for this micro-batch is complete after the visit.
enum class Gradient { none, partial, complete };

/// One acquisition of a unit in the course of a micro-batch.
struct Visit {
  UnitId unit;
  Pass pass;
  Gradient gradient;

  friend bool operator==(const Visit&, const Visit&) = default;
};

/// The order in which one micro-batch visits the units: what prefetch, an idle rank and the check
/// of the collective schedule go by. The model keeps to it; a test holds it to that.
using StepProgram = std::vector<Visit>;

[[nodiscard]] StepProgram training_program(const ModelConfig& config);

/// Forward only: what an evaluation visits.
[[nodiscard]] StepProgram evaluation_program(const ModelConfig& config);

}  // namespace ballast::model
