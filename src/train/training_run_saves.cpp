#include <utility>

#include "train/training_run.hpp"

namespace ballast::train {

checkpoint::SaveRequest TrainingRun::request() const {
  return {
      .run_dir = config_->run.dir,
      .state = state_,
      .identity = identity_,
      .numerics = numerics_,
      .gemm_table = job_->gemm_table.rules_text(),
      .monitor = monitoring_.state(),
      .tokenizer_model = tokenizer_model_,
      .settings = settings_,
      .lr = job_->schedule.lr(state_.step),
  };
}

/// Returns the exit code if the run ends: its state is not finite, or too many saves failed.
std::optional<ExitCode> TrainingRun::save_on_the_way() {
  const ProfileSpan span{profile(), Region::checkpoint};
  const Saved saved = saver_.save(request());
  if (saved == Saved::unsound) return ExitCode::unstable;
  if (!saver_.has_given_up()) return {};
  log_.say(fmt::format(
      "stopped: {} saves in a row failed (checkpoint.give_up); the last checkpoint is step {}",
      config_->checkpoint.give_up, saver_.saved_step()));
  return ExitCode::internal;
}

void TrainingRun::note_sound_state(const StepResult& result,
                                   const checkpoint::TrainingState& before) {
  if (!result.was_skipped()) {
    sound_state_.reset();
  } else if (!sound_state_) {
    sound_state_ = {before, monitoring_.state()};
  }
}

/// Saves the state before the skipped updates, which have not changed the weights.
void TrainingRun::save_sound_state() {
  if (!sound_state_ || sound_state_->state.step <= saver_.saved_step()) return;
  auto sound = request();
  sound.state = sound_state_->state;
  sound.monitor = sound_state_->monitor;
  sound.lr = job_->schedule.lr(sound.state.step);
  (void)saver_.save_last(std::move(sound));
}

/// Saves what a run has that cannot go on, for example because its dataset cannot be read any more.
/// Only data Errors are thrown by all ranks together, so that they can save together.
void TrainingRun::rescue(const Error& error) {
  if (error.code() != ExitCode::data || state_.step <= saver_.saved_step()) return;
  log_.say("the run cannot go on; saving what it has first");
  if (sound_state_) {
    save_sound_state();
  } else {
    (void)saver_.save_last(request());
  }
}

/// Returns `code`, or the code of a failure if the last state cannot be saved.
ExitCode TrainingRun::save_last(ExitCode code) {
  if (saver_.saved_step() == state_.step) return code;
  const ProfileSpan span{profile(), Region::checkpoint};
  const Saved saved = saver_.save_last(request());
  if (saved == Saved::yes) return code;
  log_.say(fmt::format("step {} is lost: the last checkpoint is step {}", state_.step,
                       saver_.saved_step()));
  return saved == Saved::unsound ? ExitCode::unstable : ExitCode::internal;
}

}  // namespace ballast::train
