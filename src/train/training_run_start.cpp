#include "comm/agree.hpp"
#include "storage/files.hpp"
#include "train/log/last_end.hpp"
#include "train/start/first_weights.hpp"
#include "train/start/introduction.hpp"
#include "train/training_run.hpp"

namespace ballast::train {

void TrainingRun::start(const ResumePoint& from) {
  state_ = engine_.initial_state();
  if (from.checkpoint) {
    resume(*from.checkpoint);
    return;
  }
  const auto lines = take_first_weights(*world_, config_->run, model_);
  notes_.insert(notes_.end(), lines.begin(), lines.end());
}

void TrainingRun::resume(const checkpoint::Checked& checkpoint) {
  comm::agree(*world_, "checkpoint.resume", [&] {
    require_same_training(checkpoint.manifest.identity, identity_);
    const auto& numerics = checkpoint.manifest.numerics;
    if (config_->checkpoint.numerics == NumericsPolicy::same && numerics != numerics_) {
      throw data_error(
          "{}: was computed with other numerics, so the run would not continue to the same bits:\n "
          " checkpoint: {}\n  now:        {}\nset checkpoint.numerics = any to resume anyway",
          checkpoint.folder.string(), numerics, numerics_);
    }
  });
  const checkpoint::TrainingState fresh = state_;
  checkpoint::Manifest manifest;
  model_.load([&](const checkpoint::ShardTensors& tensors) {
    manifest = checkpoint::load(*world_, model_.layout(), checkpoint, tensors);
  });
  state_ = manifest.state;
  if (!manifest.monitor.empty()) {
    monitoring_.restore(manifest.monitor, checkpoint.folder.string());
  }
  carry_loss_scale(fresh);
  saver_.note_resumed(state_);
}

/// A resume that switches loss scaling on or off takes the loss scale of a fresh start.
void TrainingRun::carry_loss_scale(const checkpoint::TrainingState& fresh) {
  const bool was_scaled = state_.loss_scaler.tolerance > 0;
  if (was_scaled == config_->precision.scales_loss()) return;
  state_.loss_scaler = fresh.loss_scaler;
}

void TrainingRun::open_log(const ResumePoint& from) {
  comm::agree(*world_, "run directory", [&] {
    if (!world_->is_root()) return;
    const auto& dir = config_->run.dir;
    const auto lost = describe_unsaved_end(dir, state_.step);
    storage::write_text_atomically(dir / "config.resolved.ini", settings_);
    storage::write_text_atomically(dir / "gemm_table.txt", job_->gemm_table.text());
    log_ = MetricsLog{dir, state_.step};
    for (const auto& message : from.messages) log_.say(message);
    introduce();
    if (lost) log_.say(*lost);
    if (!from.checkpoint) return;
    for (const auto& line : introduce_resumed(*job_, *from.checkpoint, settings_)) log_.say(line);
  });
  saver_.require_room(config_->run.dir);
}

void TrainingRun::introduce() {
  for (const auto& line : train::introduce(*job_, model_, plan_, notes_)) log_.say(line);
  log_.say(fmt::format("numerics: {}", numerics_));
  log_.say(monitoring_.describe());
  const auto& [kss, qk_clip] = config_->experimental;
  if (kss > 0.0 || qk_clip > 0.0) {
    log_.say(fmt::format("experimental: kss = {}, qk_clip = {} (0: off)", kss, qk_clip));
  }
}

}  // namespace ballast::train
