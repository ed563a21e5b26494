#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "base/profile.hpp"
#include "base/team.hpp"
#include "checkpoint/checkpoint.hpp"
#include "comm/communicator.hpp"
#include "data/dataset.hpp"
#include "data/sampler.hpp"
#include "optim/adamw.hpp"
#include "optim/loss_scaler.hpp"
#include "train/batch_loader.hpp"
#include "train/first_fault.hpp"
#include "train/plan/job.hpp"
#include "train/plan/model_in_job.hpp"
#include "train/verdict.hpp"
#include "train/watch/step_observers.hpp"

namespace ballast::train {

/// What a rank asks of the others by way of a step's verdict.
struct Requests {
  StopCause stop = StopCause::none;  ///< to save after it and end
  bool save = false;                 ///< to save after it
};

/// What became of a step, the same on every rank.
struct StepResult {
  /// Of the global batch, before the update. Where its weight is 0, there is neither loss nor
  /// gradient.
  model::LossSums loss;
  double grad_norm = 0.0;   ///< unscaled, before clipping
  double loss_scale = 1.0;  ///< that the step was computed with
  /// Where the first non-finite value was, for which the update was skipped; nothing: it was
  /// applied.
  std::optional<std::string> skip_reason;
  StopCause stop = StopCause::none;  ///< what asked ranks to stop after it
  bool is_save_due = false;          ///< a rank's clock asks for a checkpoint

  [[nodiscard]] bool was_skipped() const { return skip_reason.has_value(); }
};

/// The course of a training's steps over a model that is there. The result of a step depends on the
/// configuration and the state alone, not on the number of ranks, the sharding, what moves the
/// bytes, what is computed again, or how many threads a rank has.
class Engine {
 public:
  /// All must outlive the engine: `model`, built by the job's blueprint, which has its weights
  /// before the first step; `team`, which shares out the work; `profile` (null: nobody looks).
  Engine(const Job& job, comm::Communicator& world, const data::Dataset& dataset, ModelInJob& model,
         Team& team, Profile* profile = nullptr);

  /// The state of a training that has not begun.
  [[nodiscard]] checkpoint::TrainingState initial_state() const;

  /// One step: samples from `state.cursor` on, update number state.optimizer_steps + 1. Advances
  /// `state`. `guests` watch it besides those that watch every step. A data Error, on every rank,
  /// if some rank cannot read its samples: then the step did not take place. Collective.
  StepResult step(checkpoint::TrainingState& state, double lr, const Requests& requests = {},
                  std::initializer_list<StepObserver*> guests = {});
  /// What observers of every step have to say after `step`, a line each.
  [[nodiscard]] std::vector<std::string> news(std::uint64_t step) {
    return observers_.all_news(step);
  }

 private:
  StepSums sum_up(const checkpoint::TrainingState& state, const Requests& requests);
  void run_leaves(const checkpoint::TrainingState& state, StepSums& sums);
  void add_gradient_norm(StepSums& sums);
  void merge(StepSums& sums);
  void give_up_step();
  [[nodiscard]] StepResult judge(const StepSums& sums, const checkpoint::TrainingState& state,
                                 double correction);
  const model::Batch& load(std::uint64_t sample);
  void run_micro_batch(std::size_t leaf, std::uint64_t sample, float scale, StepSums& sums);
  void apply(const checkpoint::TrainingState& state, double lr, double gradient_factor);
  void adapt_loss_scale(checkpoint::TrainingState& state, const StepResult& result) const;

  const Config* config_;  ///< the job's
  comm::Communicator* world_;
  ModelInJob* model_;
  Team* team_;
  Profile* profile_;
  optim::AdamW adamw_;
  optim::LossScaler scaler_;
  data::Sampler sampler_;
  BatchLoader loader_;
  StepObservers observers_;
  std::optional<ForwardFault> forward_fault_;  ///< of this rank, in this step
};

}  // namespace ballast::train
