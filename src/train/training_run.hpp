#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/stop_signal.hpp"
#include "checkpoint/checkpoint.hpp"
#include "comm/communicator.hpp"
#include "train/engine.hpp"
#include "train/forward_on_text.hpp"
#include "train/log/meter.hpp"
#include "train/log/metrics_log.hpp"
#include "train/measure/profiler.hpp"
#include "train/plan/memory_fit.hpp"
#include "train/plan/model_in_job.hpp"
#include "train/saver.hpp"
#include "train/settings/identity.hpp"
#include "train/start/fingerprint.hpp"
#include "train/start/resume_point.hpp"
#include "train/watch/monitoring.hpp"

namespace ballast::train {

/// A state without its tensors, as a checkpoint keeps it.
struct SoundState {
  checkpoint::TrainingState state;
  std::string monitor;
};

/// One training from its first step to its last: what `train` does once everything is open.
class TrainingRun {
 public:
  /// All references must outlive this. `notes`: lines for the log about data, ranks, threads and
  /// processors; `settings`: the configuration as INI text.
  TrainingRun(comm::Communicator& world, const StopSignal& stop_signal, const Job& job,
              const data::Dataset& dataset, std::vector<std::string> notes, std::string settings)
      : world_{&world},
        stop_signal_{&stop_signal},
        job_{&job},
        config_{&job.config},
        notes_{std::move(notes)},
        settings_{std::move(settings)},
        tokenizer_model_{dataset.tokenizer_model()},
        identity_{make_identity(job.config, dataset.info())},
        profiler_{config_->log_profile == 0 ? nullptr : std::make_unique<Profiler>(job)},
        plan_{require_memory(world, job)},
        team_{job.ranks.thread_plan},
        model_{world, make_blueprint(job, profile(), &team_), job.ranks.rank},
        engine_{job, world, dataset, model_, team_, profile()},
        text_{job, world, dataset, model_, profile()},
        monitoring_{job.config, job.monitor, world, model_.gemm(), model_.layout()},
        numerics_{numerics_fingerprint(model_.gemm())},
        saver_{world, config_->checkpoint, model_, log_} {
    require_same_numerics(world, numerics_);
  }

  /// Initializes the weights, or loads the checkpoint that is resumed. Collective.
  void start(const ResumePoint& from);
  /// Opens the logs in the run directory, writes what will be trained, and checks that the disk has
  /// space for a checkpoint. Collective.
  void open_log(const ResumePoint& from);
  /// Takes all steps that are left and returns the exit code. A run that cannot go on saves its
  /// last sound state, then throws. Collective.
  ExitCode run();

 private:
  [[nodiscard]] Profile* profile() { return profiler_ ? &profiler_->profile() : nullptr; }

  // training_run_start.cpp
  void resume(const checkpoint::Checked& checkpoint);
  void carry_loss_scale(const checkpoint::TrainingState& fresh);
  void introduce();

  // training_run.cpp
  [[nodiscard]] bool is_due(std::uint64_t every) const {
    return every != 0 && (state_.step % every == 0 || state_.step == config_->last_step());
  }
  void calibrate();
  ExitCode take_steps();
  [[nodiscard]] StopCause stop_cause() const;
  StepResult timed_step();
  std::optional<ExitCode> after_step(const StepResult& result);
  void count_skipped(const StepResult& result);
  [[nodiscard]] std::string scale_change(const StepResult& result) const;
  void write_record(const StepResult& result);
  ExitCode finish(ExitCode code);
  void report_memory();
  void write_profile();

  // training_run_saves.cpp
  [[nodiscard]] checkpoint::SaveRequest request() const;
  std::optional<ExitCode> save_on_the_way();
  void note_sound_state(const StepResult& result, const checkpoint::TrainingState& before);
  void save_sound_state();
  void rescue(const Error& error);
  ExitCode save_last(ExitCode code);

  comm::Communicator* world_;
  const StopSignal* stop_signal_;
  const Job* job_;
  const Config* config_;  ///< the job's
  std::vector<std::string> notes_;
  std::string settings_;
  std::vector<std::uint8_t> tokenizer_model_;
  Identity identity_;
  std::unique_ptr<Profiler> profiler_;  ///< null without log.profile
  MemoryPlan plan_;                     ///< of this rank's host
  Team team_;
  ModelInJob model_;
  Engine engine_;
  ForwardOnText text_;
  Monitoring monitoring_;
  std::string numerics_;
  MetricsLog log_ = MetricsLog::silent();
  checkpoint::TrainingState state_;
  Saver saver_;
  Meter meter_;
  double lr_ = 0.0;
  monitor::Action action_ = monitor::Action::none;  ///< that the monitor asks for after this step
  std::uint64_t skipped_in_a_row_ = 0;
  /// While updates are skipped: the state after the last applied update, to which the weights still
  /// belong.
  std::optional<SoundState> sound_state_;
};

}  // namespace ballast::train
