#include "train/training_run.hpp"

#include <utility>

#include "base/checked_cast.hpp"
#include "base/process.hpp"
#include "base/text.hpp"
#include "train/start/fingerprint.hpp"

namespace ballast::train {

namespace {

/// Updates skipped in a row after which the run ends, since its weights no longer change. An alert
/// comes before.
constexpr std::uint64_t kPatience = 2 * monitor::Detectors::kManySkips;

}  // namespace

/// What asks this rank to stop.
StopCause TrainingRun::stop_cause() const {
  return log_.has_reader() ? stop_signal_->cause() : StopCause::no_reader;
}

ExitCode TrainingRun::run() {
  try {
    return take_steps();
  } catch (const Error& error) {
    rescue(error);
    throw;
  }
}

ExitCode TrainingRun::take_steps() {
  calibrate();
  end_if_stopped(*world_, *stop_signal_);
  while (state_.step < config_->last_step()) {
    monitoring_.probe_held_out(state_.step + 1, text_, log_);
    if (const auto end = after_step(timed_step())) return *end;
  }
  return finish(ExitCode::ok);
}

StepResult TrainingRun::timed_step() {
  const std::uint64_t step = state_.step + 1;
  lr_ = job_->schedule.lr(step) * monitoring_.lr_factor();
  (void)model_.groups().take_timings();
  const Stopwatch stopwatch;
  auto watch = monitoring_.begin(state_, text_);
  const checkpoint::TrainingState before = state_;
  const StepResult result = engine_.step(
      state_, lr_, {.stop = stop_cause(), .save = saver_.is_due_by_clock()}, {watch.observer()});
  note_sound_state(result, before);
  action_ = std::move(watch).finish({.step = step,
                                     .loss = result.loss.mean(),
                                     .log_z = result.loss.mean("log_z"),
                                     .grad_norm = result.grad_norm,
                                     .lr = lr_,
                                     .was_skipped = result.was_skipped(),
                                     .is_scaled = config_->precision.scales_loss()},
                                    log_);
  meter_.add(stopwatch.elapsed_s(), result.loss.labels(), model_.groups().take_timings());
  return result;
}

/// Logs, evaluates and saves what is due. Returns the exit code if the run ends here.
std::optional<ExitCode> TrainingRun::after_step(const StepResult& result) {
  count_skipped(result);
  for (const auto& line : engine_.log_lines(state_.step)) log_.say(line);
  const bool evaluates = is_due(config_->eval_every);
  if (is_due(config_->log_every) || evaluates) write_record(result);
  if (skipped_in_a_row_ >= kPatience) {
    save_sound_state();
    log_.say(fmt::format(
        "stopped: {} updates in a row had a non-finite loss or gradient; lower optim.lr and "
        "resume, from an earlier checkpoint if need be",
        kPatience));
    return ExitCode::unstable;
  }
  const bool is_last = state_.step == config_->last_step() || action_ == monitor::Action::stop ||
                       result.stop != StopCause::none;
  const bool is_saved_now =
      saver_.is_due(state_.step) || result.is_save_due || action_ == monitor::Action::save;
  if (is_saved_now && !is_last) {
    if (const auto end = save_on_the_way()) return end;
  }
  if (action_ == monitor::Action::stop) {
    log_.say(
        fmt::format("stopped by an alert (monitor.on_alert = stop): saving step {}", state_.step));
    return finish(ExitCode::unstable);
  }
  if (result.stop != StopCause::none) {
    log_.say(fmt::format("{}: saving step {}", describe(result.stop), state_.step));
    return finish(ExitCode::run_again);
  }
  return {};
}

void TrainingRun::count_skipped(const StepResult& result) {
  if (result.was_skipped()) {
    ++skipped_in_a_row_;
    log_.say(fmt::format("step {}: update skipped on all ranks: {} is not finite{}", state_.step,
                         *result.skip_reason, scale_change(result)));
  } else {
    skipped_in_a_row_ = 0;
  }
}

/// What a skipped step did to the loss scale, for the log.
std::string TrainingRun::scale_change(const StepResult& result) const {
  if (!config_->precision.scales_loss()) return {};
  return fmt::format("; loss scale {} → {}", result.loss_scale, state_.loss_scaler.scale);
}

void TrainingRun::write_record(const StepResult& result) {
  Record record{
      .step = state_.step,
      .loss = result.loss.mean(),
      .grad_norm = result.grad_norm,
      .has_labels = result.loss.weight() > 0.0,
      .lr = lr_,
      .tokens = state_.tokens,
      .loss_scale = result.loss_scale,
      .figures = result.loss.other_means(),
  };
  meter_.fill(record);
  if (profiler_) record.mfu = profiler_->utilization(record.tokens_per_s / world_->size());
  const auto pss = static_cast<std::int64_t>(memory_use().pss);
  record.mem_peak_mib =
      static_cast<double>(world_->max(pss, {"memory"})) / static_cast<double>(1 << 20);
  if (is_due(config_->eval_every)) {
    EvalResult held_out = text_.evaluate();
    record.val_loss = held_out.loss;
    record.val_bits_per_byte = held_out.bits_per_byte;
    record.val_figures = std::move(held_out.figures);
  }
  const auto steps_left = static_cast<double>(config_->last_step() - state_.step);
  log_.record(record, config_->last_step(), steps_left * meter_.mean_step_s());
  meter_.restart();
}

void TrainingRun::calibrate() {
  if (!profiler_) return;
  profiler_->calibrate(*world_, model_.workspace());
  log_.say(fmt::format("ceilings of a rank, {} at work: {}", world_->size(),
                       describe(profiler_->ceilings())));
}

/// Logs measured beside planned memory. It is called after the steps, which have touched all of it.
void TrainingRun::report_memory() {
  const auto& host_of = job_->ranks.topology.host_of;
  const bool is_counted = host_of[checked_cast<std::size_t>(world_->rank())] == host_of[0];
  const auto own = is_counted ? checked_cast<std::int64_t>(memory_use().pss) : 0;
  const auto measured = checked_cast<std::uint64_t>(world_->sum(own, {"memory of the host"}));
  log_.say(
      fmt::format("memory measured on rank 0's host: {}, programs and libraries included; {} "
                  "were planned for tensors",
                  human_bytes(measured), human_bytes(plan_.host_bytes)));
}

void TrainingRun::write_profile() {
  if (!profiler_) return;
  try {
    log_.say(profiler_->write(*world_, model_.workspace()));
  } catch (const Error& error) {
    if (error.code() != ExitCode::data) throw;
    log_.say(fmt::format("warning: the profile was not written: {}", error.what()));
  }
}

ExitCode TrainingRun::finish(ExitCode code) {
  report_memory();
  code = save_last(code);
  write_profile();
  const auto saved_hash = saver_.saved_step() == state_.step ? saver_.saved_hash() : std::nullopt;
  const Hash128 hash =
      saved_hash ? *saved_hash
                 : checkpoint::state_hash(*world_, model_.layout(), model_.tensors(), state_);
  log_.say(fmt::format("done: step {}, state hash {}", state_.step, hash.hex()));
  log_.say(fmt::format("to see this run: ballast report {}", config_->run.dir.string()));
  return code;
}

}  // namespace ballast::train
