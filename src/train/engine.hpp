#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/profile.hpp"
#include "base/team.hpp"
#include "checkpoint/checkpoint.hpp"
#include "comm/communicator.hpp"
#include "data/dataset.hpp"
#include "data/sampler.hpp"
#include "fsdp/connection.hpp"
#include "optim/adamw.hpp"
#include "optim/loss_scaler.hpp"
#include "train/batch_loader.hpp"
#include "train/first_fault.hpp"
#include "train/plan/job.hpp"
#include "train/plan/memory_plan.hpp"
#include "train/plan/workspace.hpp"
#include "train/validation.hpp"
#include "train/verdict.hpp"
#include "train/watch/forward_passes.hpp"
#include "train/watch/observer_pair.hpp"
#include "train/watch/qk_clip.hpp"
#include "train/watch/step_observer.hpp"

namespace ballast::train {

/// What became of a step's gradient.
enum class Update { applied, skipped };

/// What a rank asks of the others by way of a step's verdict.
struct Requests {
  StopCause stop = StopCause::none;  ///< to save after it and end
  bool save = false;                 ///< to save after it
};

struct StepResult {
  /// Of the global batch, before the update. Where its weight is 0, there is neither loss nor
  /// gradient.
  model::LossSums loss;
  double grad_norm = 0.0;  ///< unscaled, before clipping
  Update update = Update::applied;
  double loss_scale = 1.0;           ///< that the step was computed with
  std::string skip_reason;           ///< where the first non-finite value was; empty when applied
  StopCause stop = StopCause::none;  ///< what asked ranks to stop after it
  bool is_save_due = false;          ///< a rank's clock asks for a checkpoint
};

/// A sharded model in training: memory, parameters, optimiser and the course of one step. The
/// result of a step depends on the configuration and the state alone, not on the number of ranks,
/// the sharding, what moves the bytes, what is computed again, or how many threads a rank has.
class Engine final : public ForwardPasses {
 public:
  /// `job`, `dataset`, `world` and `profile` (null: nobody looks) must outlive the engine.
  /// Collective; a usage Error says what memory is not there.
  Engine(const Job& job, comm::Communicator& world, const data::Dataset& dataset,
         Profile* profile = nullptr);

  /// Fresh weights, zero moments. Collective.
  void initialise();
  /// To be called before and after the shards are filled from outside, as a resume does.
  void begin_load() { workspace_.parameters().begin_version(); }
  void finish_load() { workspace_.parameters().publish_all(); }

  /// The state of a training that has not begun.
  [[nodiscard]] checkpoint::TrainingState initial_state() const;

  /// One step: samples from `state.cursor` on, update number state.optimizer_steps + 1. Advances
  /// `state`. A data Error, on every rank, if some rank cannot read its samples: then the step did
  /// not take place. Collective.
  StepResult step(checkpoint::TrainingState& state, double lr, Requests requests = {});

  /// Loss over the whole validation split. Collective.
  EvalResult evaluate();

  /// Watches training steps from now on, as Transformer::observe says; null: nobody watches.
  void observe(StepObserver* observer);
  double show_next(const checkpoint::TrainingState& state, StepObserver& observer) override;
  void show_held_out(std::size_t batches, StepObserver& observer) override;
  void show_training(std::size_t batches, StepObserver& observer) override;
  /// What is to be said of experimental.qk_clip after a step, from time to time.
  [[nodiscard]] std::optional<std::string> clipping_news(std::uint64_t step) {
    return qk_clip_ ? qk_clip_->news(step) : std::nullopt;
  }
  /// What communication took since the last call.
  [[nodiscard]] comm::Timings take_timings() { return connection_.groups().take_timings(); }

  /// The memory plan of this rank's host.
  [[nodiscard]] const MemoryPlan& plan() const { return plan_; }
  [[nodiscard]] const Workspace& workspace() const { return workspace_; }
  [[nodiscard]] const fsdp::ShardLayout& layout() const { return workspace_.layout(); }
  [[nodiscard]] checkpoint::ShardTensors tensors() const { return workspace_.tensors(); }
  [[nodiscard]] const kernels::Gemm& gemm() const { return workspace_.gemm(); }

 private:
  void give_up_step();
  void run_leaves(const checkpoint::TrainingState& state, StepSums& sums);
  [[nodiscard]] std::uint64_t sample_of(const checkpoint::TrainingState& state, std::size_t leaf,
                                        std::size_t micro) const;
  const model::Batch& load(std::uint64_t sample);
  void run_micro_batch(std::size_t leaf, std::uint64_t sample, float scale, StepSums& sums);
  void apply(const checkpoint::TrainingState& state, double lr, double gradient_factor);
  void adapt_loss_scale(checkpoint::TrainingState& state, Update update) const;

  const Config* config_;  ///< the job's
  comm::Communicator* world_;
  const data::Dataset* dataset_;
  Profile* profile_;
  MemoryPlan plan_;
  Team team_;
  Workspace workspace_;
  fsdp::Connection connection_;
  optim::AdamW adamw_;
  optim::LossScaler scaler_;
  data::Sampler sampler_;
  BatchLoader loader_;
  model::StepProgram program_;
  model::StepProgram evaluation_program_;
  std::optional<QkClip> qk_clip_;
  StepObserver* observer_ = nullptr;
  ObserverPair observers_;
  std::optional<ForwardFault> forward_fault_;  ///< of this rank, in this step
};

}  // namespace ballast::train
