#include <algorithm>
#include <cmath>

#include "base/text.hpp"
#include "comm/agree.hpp"
#include "storage/files.hpp"
#include "train/log/last_end.hpp"
#include "train/plan/summary.hpp"
#include "train/settings/setting_changes.hpp"
#include "train/start/fingerprint.hpp"
#include "train/training_run.hpp"

namespace ballast::train {

namespace {

/// Whether a schedule that once gave `before` and now gives `now` to the same step was changed so
/// that it shows.
bool is_rate_jump(double before, double now) {
  constexpr double kSeen = 0.05;
  return std::abs(now - before) > kSeen * std::max(before, now);
}

}  // namespace

void TrainingRun::start(const ResumePoint& from) {
  state_ = engine_.initial_state();
  if (from.checkpoint) {
    resume(*from.checkpoint);
  } else {
    model_.initialise(config_->run.seed);
  }
}

void TrainingRun::resume(const checkpoint::Checked& checkpoint) {
  comm::agree(*world_, "checkpoint.resume", [&] {
    require_same_training(checkpoint.manifest.identity, identity_);
    const auto& numerics = checkpoint.manifest.numerics;
    if (config_->checkpoint.numerics == NumericsPolicy::same && numerics != numerics_) {
      throw data_error(
          "{}: was computed with other numerics, so the run would not continue to the same bits:\n"
          "  checkpoint: {}\n  now:        {}\nset checkpoint.numerics = any to go on all the same",
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

/// A run that changes its precision on resume takes the loss scale that it would have started with.
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
    for (const auto& news : from.news) log_.say(news);
    introduce();
    if (lost) log_.say(*lost);
    if (from.checkpoint) introduce_resumed(*from.checkpoint);
  });
  saver_.require_room(config_->run.dir);
}

void TrainingRun::introduce() {
  log_.say(describe_model(job_->model, model_.layout().table().total_numel()));
  log_.say(fmt::format("job: {} rank(s), {} leaves of {} sequences a step, {} tokens a step",
                       world_->size(), config_->data.leaves(), config_->data.leaf_sequences(),
                       with_thousands(config_->data.global_batch * config_->data.seq_len)));
  for (const std::string& note : notes_) log_.say(note);
  log_.say(describe_mode(*job_));
  log_.say(describe_precision(*config_));
  const ElementType param = config_->precision.param;
  if (!model_.gemm().is_native(param)) {
    log_.say(
        fmt::format("warning: this processor has no {} products; operands are rounded to {} "
                    "and multiplied in fp32, which is slower than fp32 alone",
                    name_of(param), name_of(param)));
  }
  log_.say(
      fmt::format("memory planned on rank 0's host: {} ({}; {} of it shared), and {} ranks of "
                  "up to {} besides",
                  human_bytes(plan_.host_bytes), describe(plan_), human_bytes(plan_.shared_bytes),
                  plan_.host_ranks, human_bytes(kProcessBytes)));
  log_.say(fmt::format("numerics: {}", numerics_));
  log_.say(monitoring_.describe());
  const auto& [kss, qk_clip] = config_->experimental;
  if (kss > 0.0 || qk_clip > 0.0) {
    log_.say(fmt::format("experimental: kss = {}, qk_clip = {} (0: off)", kss, qk_clip));
  }
}

void TrainingRun::introduce_resumed(const checkpoint::Checked& checkpoint) {
  log_.say(fmt::format("resumed from {} at step {}", checkpoint.folder.string(), state_.step));
  const auto& manifest = checkpoint.manifest;
  for (const auto& change : setting_changes(manifest.settings, settings_)) {
    log_.say(fmt::format("changed since the checkpoint: {}", change));
  }
  const double now = job_->schedule.lr(state_.step);
  if (manifest.lr && is_rate_jump(*manifest.lr, now)) {
    log_.say(fmt::format(
        "warning: the learning rate jumps: it was {:.2e} at step {}, with these settings the "
        "schedule gives that step {:.2e} and the next {:.2e}",
        *manifest.lr, state_.step, now, job_->schedule.lr(state_.step + 1)));
  }
}

}  // namespace ballast::train
