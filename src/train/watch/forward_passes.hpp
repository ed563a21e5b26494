#pragma once

#include <cstddef>

#include "checkpoint/manifest.hpp"
#include "train/watch/step_observer.hpp"

namespace ballast::train {

/// Forward passes outside of the steps, which show text to an observer. All calls are collective.
class ForwardPasses {
 public:
  virtual ~ForwardPasses() = default;

  /// Over the samples of the next step, in the same leaves. Returns the factor by which that step's
  /// gradients, until its update corrects them, exceed those of the mean loss.
  virtual double show_next(const checkpoint::TrainingState& state, StepObserver& observer) = 0;
  /// Over the first `batches` validation batches, or as many as there are.
  virtual void show_held_out(std::size_t batches, StepObserver& observer) = 0;
  /// Over the first `batches` micro-batches of the training text, in training order.
  virtual void show_training(std::size_t batches, StepObserver& observer) = 0;
};

}  // namespace ballast::train
