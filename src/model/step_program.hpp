#pragma once

#include <vector>

#include "model/parameters.hpp"

namespace ballast::model {

enum class Pass { forward, backward };

/// Whether the unit's gradient for this micro-batch is complete after the visit.
enum class Gradient { none, partial, complete };

/// One lease of a unit in the course of a micro-batch. A unit of several blocks is visited once a
/// block; whoever keeps it from one visit to the next has nothing to gather.
struct Visit {
  UnitId unit;
  Pass pass;
  Gradient gradient;
  /// False where the unit's gradient is worked on without its parameters (the embedding's, at the
  /// end): nothing is gathered, but `gradient` counts like any other.
  bool acquires = true;
  Depth depth = 0;  ///< visits of one depth follow one another, and hold their leases together

  friend bool operator==(const Visit&, const Visit&) = default;
};

/// The order in which one micro-batch visits the units: what prefetch, an idle rank and the check
/// of the collective schedule go by. The model keeps to it; a test holds it to that.
using StepProgram = std::vector<Visit>;

/// Blocks computed again in the backward add no visits: they read the lease of their backward. The
/// backward ends where nothing further down trains, though the head is always visited.
[[nodiscard]] StepProgram training_program(const ParameterTable& table);

/// Forward only: what an evaluation visits.
[[nodiscard]] StepProgram evaluation_program(const ParameterTable& table);

}  // namespace ballast::model
