#include "train/saver.hpp"

#include <utility>

namespace ballast::train {

Saver::Saver(comm::Communicator& world, const CheckpointConfig& config, const ModelInJob& model,
             MetricsLog& log)
    : world_{&world}, config_{&config}, model_{&model}, log_{&log} {}

checkpoint::Retention Saver::retention() const {
  return {.keep = config_->keep, .keep_every = config_->keep_every};
}

void Saver::require_room(const std::filesystem::path& run_dir) {
  const std::string warning =
      checkpoint::require_room(*world_, model_->layout(), run_dir, config_->keep);
  if (!warning.empty()) log_->say(fmt::format("warning: {}; make room", warning));
}

void Saver::note_resumed(const checkpoint::TrainingState& state) {
  saved_step_ = state.step;
  saved_updates_ = state.optimizer_steps;
}

bool Saver::is_due(std::uint64_t step) const {
  return config_->every != 0 && step % config_->every == 0;
}

bool Saver::is_due_by_clock() const {
  constexpr double kSecondsAMinute = 60.0;
  return world_->is_root() && config_->every_minutes > 0.0 &&
         since_attempt_.elapsed_s() >= kSecondsAMinute * config_->every_minutes;
}

bool Saver::has_given_up() const { return config_->give_up != 0 && failures_ >= config_->give_up; }

Saved Saver::save(checkpoint::SaveRequest request) {
  if (request.state.optimizer_steps == saved_updates_) {
    since_attempt_.restart();
    log_->say(fmt::format(
        "step {} is not saved: every update since {} was skipped, so the weights have not changed",
        request.state.step, saved_step_ == 0 ? "the start" : fmt::format("step {}", saved_step_)));
    return Saved::no_update;
  }
  request.retention = retention();
  return attempt(request);
}

Saved Saver::save_last(checkpoint::SaveRequest request) {
  const bool has_update = request.state.optimizer_steps != saved_updates_;
  request.retention = retention();
  if (!has_update) request.retention.keep = std::numeric_limits<std::size_t>::max();
  return attempt(request);
}

Saved Saver::attempt(const checkpoint::SaveRequest& request) {
  since_attempt_.restart();
  const std::string bad = checkpoint::find_nonfinite(*world_, model_->layout(), model_->tensors());
  if (!bad.empty()) {
    log_->say(fmt::format("step {} is not saved, since its state is not finite: {}",
                          request.state.step, bad));
    return Saved::unsound;
  }
  try {
    const auto saved = checkpoint::save(*world_, model_->layout(), model_->tensors(), request);
    saved_step_ = request.state.step;
    saved_updates_ = request.state.optimizer_steps;
    saved_hash_ = saved.hash;
    failures_ = 0;
    log_->say(fmt::format("saved {} (state {})", saved.folder.string(), saved.hash.hex()));
    if (!saved.unpruned.empty()) {
      log_->say(fmt::format("warning: older checkpoints were not deleted: {}", saved.unpruned));
    }
    return Saved::yes;
  } catch (const Error& error) {
    if (error.code() != ExitCode::data) throw;  // ranks may not have agreed on it
    ++failures_;
    log_->say(fmt::format("warning: step {} could not be saved: {}; earlier checkpoints are whole",
                          request.state.step, error.what()));
    return Saved::failed;
  }
}

}  // namespace ballast::train
