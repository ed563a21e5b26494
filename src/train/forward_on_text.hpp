#pragma once

#include <cstddef>

#include "base/profile.hpp"
#include "checkpoint/manifest.hpp"
#include "comm/communicator.hpp"
#include "data/dataset.hpp"
#include "data/sampler.hpp"
#include "train/batch_loader.hpp"
#include "train/plan/job.hpp"
#include "train/plan/model_in_job.hpp"
#include "train/validation.hpp"
#include "train/watch/forward_passes.hpp"

namespace ballast::train {

/// Forward passes of a training's model between its steps: its loss on held-out text, and passes
/// that show text to an observer.
class ForwardOnText final : public ForwardPasses {
 public:
  /// All must outlive this; `profile` may be null.
  ForwardOnText(const Job& job, comm::Communicator& world, const data::Dataset& dataset,
                ModelInJob& model, Profile* profile = nullptr);

  /// Loss over the whole validation split. Collective.
  EvalResult evaluate();

  double show_next(const checkpoint::TrainingState& state, StepObserver& observer) override;
  void show_held_out(std::size_t batches, StepObserver& observer) override;
  void show_training(std::size_t batches, StepObserver& observer) override;

 private:
  const DataConfig* data_;
  comm::Communicator* world_;
  const data::Dataset* dataset_;
  ModelInJob* model_;
  Profile* profile_;
  data::Sampler sampler_;
  BatchLoader loader_;
};

}  // namespace ballast::train
