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

/// What one rank asks of all ranks; it travels in the step's verdict.
struct Requests {
  StopCause stop = StopCause::none;  ///< save after the step and end
  bool save = false;                 ///< save after the step
};

/// The outcome of a step, the same on every rank.
struct StepResult {
  /// The sums of the global batch, before the update. If their weight is 0, there is neither loss
  /// nor gradient.
  model::LossSums loss;
  double grad_norm = 0.0;   ///< unscaled, before clipping
  double loss_scale = 1.0;  ///< that the step was computed with
  /// The place of the first non-finite value if the update was skipped; not set if it was applied.
  std::optional<std::string> skip_reason;
  StopCause stop = StopCause::none;  ///< what asked ranks to stop after it
  bool is_save_due = false;          ///< a rank's clock asks for a checkpoint

  [[nodiscard]] bool was_skipped() const { return skip_reason.has_value(); }
};

/// Computes the steps of a training. The result of a step depends on the configuration and the
/// state alone, not on the number of ranks, the sharding, the transports, recomputation, or the
/// number of threads.
class Engine {
 public:
  /// All must outlive the engine. `model`: built by the job's blueprint; it must have its weights
  /// before the first step. `team`: the threads that share the work. `profile`: records spans; may
  /// be null.
  Engine(const Job& job, comm::Communicator& world, const data::Dataset& dataset, ModelInJob& model,
         Team& team, Profile* profile = nullptr);

  /// The state of a training that has not begun.
  [[nodiscard]] checkpoint::TrainingState initial_state() const;

  /// One step: samples from `state.cursor` on, update number state.optimizer_steps + 1. Advances
  /// `state`. `observers` see this step besides the observers of every step. If some rank cannot
  /// read its samples, every rank throws a data Error and `state` does not change. Collective.
  StepResult step(checkpoint::TrainingState& state, double lr, const Requests& requests = {},
                  std::initializer_list<StepObserver*> observers = {});
  /// The lines for the log from the observers of every step, after `step`.
  [[nodiscard]] std::vector<std::string> log_lines(std::uint64_t step) {
    return observers_.log_lines(step);
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
