#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <vector>

#include "base/clock.hpp"
#include "base/narrow.hpp"
#include "base/process.hpp"
#include "base/text.hpp"
#include "checkpoint/checkpoint.hpp"
#include "comm/agree.hpp"
#include "storage/append_file.hpp"
#include "storage/files.hpp"
#include "train/agreement.hpp"
#include "train/binding.hpp"
#include "train/engine.hpp"
#include "train/fingerprint.hpp"
#include "train/identity.hpp"
#include "train/last_end.hpp"
#include "train/memory_plan.hpp"
#include "train/meter.hpp"
#include "train/metrics_log.hpp"
#include "train/monitoring.hpp"
#include "train/profiler.hpp"
#include "train/resume_point.hpp"
#include "train/run_directory.hpp"
#include "train/saver.hpp"
#include "train/setting_changes.hpp"
#include "train/stop.hpp"
#include "train/summary.hpp"
#include "train/trainer.hpp"
#include "train/training_data.hpp"

namespace ballast::train {

namespace {

/// Updates skipped in a row before the run is given up: the weights no longer change, so more of
/// the same would only burn time. An alert comes first.
constexpr std::uint64_t kPatience = 2 * monitor::Detectors::kManySkips;

/// Whether a schedule that once gave `before` and now gives `now` to the same step was changed so that
/// it shows.
bool is_rate_jump(double before, double now) {
  constexpr double kSeen = 0.05;
  return std::abs(now - before) > kSeen * std::max(before, now);
}

/// A state without its tensors, as a checkpoint keeps it.
struct SoundState {
  checkpoint::TrainingState state;
  std::string monitor;
};

/// One training from its first step to its last: what `train` does once everything is open.
class TrainingRun {
 public:
  /// `notes`: what to say of data, ranks, threads and processors, a line each; `settings`: what the
  /// run was asked for, as INI text.
  TrainingRun(comm::Communicator& world, const StopSignal& stop_signal, const Config& config,
              const data::Dataset& dataset, std::vector<std::string> notes, std::string settings)
      : world_{&world},
        stop_signal_{&stop_signal},
        config_{&config},
        notes_{std::move(notes)},
        settings_{std::move(settings)},
        tokenizer_model_{dataset.tokenizer_model()},
        schedule_{make_schedule(config)},
        identity_{make_identity(config, dataset.info())},
        profiler_{config.log_profile == 0 ? nullptr : std::make_unique<Profiler>(config)},
        engine_{config, world, dataset, profile()},
        monitoring_{config, world, engine_},
        numerics_{numerics_fingerprint(engine_.gemm())},
        saver_{world, config.checkpoint, engine_, log_} {
    require_same_numerics(world, numerics_);
  }

  void start(const ResumePoint& from);
  void open_log(const ResumePoint& from);
  ExitCode run();

 private:
  [[nodiscard]] Profile* profile() { return profiler_ ? &profiler_->profile() : nullptr; }
  void resume(const checkpoint::Checked& checkpoint);
  void introduce();
  void introduce_resumed(const checkpoint::Checked& checkpoint);
  void calibrate();
  void write_profile();
  [[nodiscard]] bool is_due(std::uint64_t every) const {
    return every != 0 && (state_.step % every == 0 || state_.step == config_->last_step());
  }
  void carry_loss_scale(const checkpoint::TrainingState& fresh);
  [[nodiscard]] std::string scale_change(const StepResult& result) const;
  ExitCode take_steps();
  [[nodiscard]] StopCause stop_cause() const;
  StepResult timed_step();
  std::optional<ExitCode> after_step(const StepResult& result);
  std::optional<ExitCode> save_on_the_way();
  void note_sound_state(const StepResult& result, const checkpoint::TrainingState& before);
  void save_sound_state();
  void rescue(const Error& error);
  void count_skipped(const StepResult& result);
  void write_record(const StepResult& result);
  void report_memory();
  [[nodiscard]] checkpoint::SaveRequest request() const;
  ExitCode save_last(ExitCode code);
  ExitCode finish(ExitCode code);

  comm::Communicator* world_;
  const StopSignal* stop_signal_;
  const Config* config_;
  std::vector<std::string> notes_;
  std::string settings_;
  std::vector<std::uint8_t> tokenizer_model_;
  optim::Schedule schedule_;
  Identity identity_;
  std::unique_ptr<Profiler> profiler_;  ///< null: nobody looks where the time goes
  Engine engine_;
  Monitoring monitoring_;
  std::string numerics_;
  MetricsLog log_ = MetricsLog::silent();
  checkpoint::TrainingState state_;
  Saver saver_;
  Meter meter_;
  double lr_ = 0.0;
  monitor::Duty duty_ = monitor::Duty::none;  ///< what the monitor wants done after this step
  std::uint64_t skipped_in_a_row_ = 0;
  /// While updates are skipped: the state after the last one that was not, which the weights still
  /// belong to.
  std::optional<SoundState> sound_state_;
};

void TrainingRun::start(const ResumePoint& from) {
  state_ = engine_.initial_state();
  if (from.checkpoint) {
    resume(*from.checkpoint);
  } else {
    engine_.initialise();
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
  engine_.begin_load();
  const auto manifest =
      checkpoint::load(*world_, engine_.layout(), checkpoint, engine_.tensors());
  state_ = manifest.state;
  engine_.finish_load();
  if (!manifest.monitor.empty()) {
    monitoring_.restore(manifest.monitor, checkpoint.folder.string());
  }
  carry_loss_scale(fresh);
  saver_.note_resumed(state_);
}

/// A run that changes its precision on resume takes the loss scale that it would have started with.
void TrainingRun::carry_loss_scale(const checkpoint::TrainingState& fresh) {
  const bool was_scaled = state_.scale_tolerance > 0;
  if (was_scaled == config_->precision.scales_loss()) return;
  state_.loss_scale = fresh.loss_scale;
  state_.scale_good_steps = fresh.scale_good_steps;
  state_.scale_tolerance = fresh.scale_tolerance;
}

void TrainingRun::open_log(const ResumePoint& from) {
  comm::agree(*world_, "run directory", [&] {
    if (!world_->is_root()) return;
    const auto& dir = config_->run.dir;
    const auto lost = describe_unsaved_end(dir, state_.step);
    storage::write_text_atomically(dir / "config.resolved.ini", settings_);
    storage::write_text_atomically(dir / "gemm_table.txt", config_->gemm_table.text());
    log_ = MetricsLog{dir, state_.step};
    for (const auto& news : from.news) log_.say(news);
    introduce();
    if (lost) log_.say(*lost);
    if (from.checkpoint) introduce_resumed(*from.checkpoint);
  });
  saver_.require_room(config_->run.dir);
}

void TrainingRun::introduce() {
  log_.say(describe_model(*config_, engine_.layout().table().total_numel()));
  log_.say(fmt::format("job: {} rank(s), {} leaves of {} sequences a step, {} tokens a step",
                       world_->size(), config_->data.leaves(), config_->data.leaf_sequences(),
                       with_thousands(config_->data.global_batch * config_->data.seq_len)));
  for (const std::string& note : notes_) log_.say(note);
  log_.say(describe_mode(*config_, engine_.topology()));
  log_.say(describe_precision(*config_));
  const ElementType param = config_->precision.param;
  if (!engine_.gemm().is_native(param)) {
    log_.say(
        fmt::format("warning: this processor has no {} products; operands are rounded to {} "
                    "and multiplied in fp32, which is slower than fp32 alone",
                    name_of(param), name_of(param)));
  }
  const MemoryPlan& plan = engine_.plan();
  log_.say(
      fmt::format("memory planned on rank 0's host: {} ({}; {} of it shared), and {} ranks of "
                  "up to {} besides",
                  human_bytes(plan.host_bytes), describe(plan), human_bytes(plan.shared_bytes),
                  plan.host_ranks, human_bytes(kProcessBytes)));
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
  const double now = schedule_.lr(state_.step);
  if (manifest.lr && is_rate_jump(*manifest.lr, now)) {
    log_.say(fmt::format(
        "warning: the learning rate jumps: it was {:.2e} at step {}, with these settings the "
        "schedule gives that step {:.2e} and the next {:.2e}",
        *manifest.lr, state_.step, now, schedule_.lr(state_.step + 1)));
  }
}

/// What asks this rank to stop.
StopCause TrainingRun::stop_cause() const {
  return log_.has_reader() ? stop_signal_->cause() : StopCause::no_reader;
}

StepResult TrainingRun::timed_step() {
  const std::uint64_t step = state_.step + 1;
  lr_ = schedule_.lr(step) * monitoring_.lr_factor();
  (void)engine_.take_timings();
  const Stopwatch watch;
  monitoring_.look_ahead(state_, engine_);
  const checkpoint::TrainingState before = state_;
  engine_.observe(monitoring_.observer_for(step));
  const StepResult result =
      engine_.step(state_, lr_, {.stop = stop_cause(), .save = saver_.is_due_by_clock()});
  engine_.observe(nullptr);
  note_sound_state(result, before);
  duty_ = monitoring_.after_step({.step = step,
                                  .loss = result.loss,
                                  .log_z = result.log_z,
                                  .grad_norm = result.grad_norm,
                                  .lr = lr_,
                                  .was_skipped = result.update == Update::skipped,
                                  .is_scaled = config_->precision.scales_loss()},
                                 log_);
  meter_.add(watch.elapsed_s(), result.labels, engine_.take_timings());
  return result;
}

void TrainingRun::calibrate() {
  if (!profiler_) return;
  profiler_->calibrate(*world_, engine_);
  log_.say(fmt::format("ceilings of a rank, {} at work: {}", world_->size(),
                       describe(profiler_->ceilings())));
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
    monitoring_.look_at_held_out(state_.step + 1, engine_, log_);
    if (const auto end = after_step(timed_step())) return *end;
  }
  return finish(ExitCode::ok);
}

/// Counts, writes records and saves. Returns how the run ends, if it does.
std::optional<ExitCode> TrainingRun::after_step(const StepResult& result) {
  count_skipped(result);
  if (const auto news = engine_.clipping_news(state_.step)) log_.say(*news);
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
  const bool is_last = state_.step == config_->last_step() || duty_ == monitor::Duty::stop ||
                       result.stop != StopCause::none;
  const bool is_saved_now = saver_.is_due(state_.step) || result.is_save_due ||
                            duty_ == monitor::Duty::save;
  if (is_saved_now && !is_last) {
    if (const auto end = save_on_the_way()) return end;
  }
  if (duty_ == monitor::Duty::stop) {
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
  if (result.update == Update::skipped) {
    ++skipped_in_a_row_;
    log_.say(fmt::format("step {}: update skipped on all ranks: {} is not finite{}", state_.step,
                         result.skip_reason, scale_change(result)));
  } else {
    skipped_in_a_row_ = 0;
  }
}

/// What a skipped step did to the loss scale, for the log.
std::string TrainingRun::scale_change(const StepResult& result) const {
  if (!config_->precision.scales_loss()) return {};
  return fmt::format("; loss scale {} → {}", result.loss_scale, state_.loss_scale);
}

void TrainingRun::write_record(const StepResult& result) {
  Record record{
      .step = state_.step,
      .loss = result.loss,
      .grad_norm = result.grad_norm,
      .has_labels = result.weight > 0.0,
      .lr = lr_,
      .tokens = state_.tokens,
      .loss_scale = result.loss_scale,
  };
  meter_.fill(record);
  if (profiler_) record.mfu = profiler_->utilization(record.tokens_per_s / world_->size());
  const auto pss = static_cast<std::int64_t>(memory_use().pss);
  record.mem_peak_mib =
      static_cast<double>(world_->max(pss, {"memory"})) / static_cast<double>(1 << 20);
  if (is_due(config_->eval_every)) {
    const EvalResult held_out = engine_.evaluate();
    record.val_loss = held_out.loss;
    record.val_bits_per_byte = held_out.bits_per_byte;
  }
  const auto steps_left = static_cast<double>(config_->last_step() - state_.step);
  comm::agree(*world_, "log", [&] {
    log_.record(record, config_->last_step(), steps_left * meter_.mean_step_s());
  });
  meter_.restart();
}

checkpoint::SaveRequest TrainingRun::request() const {
  return {
      .run_dir = config_->run.dir,
      .state = state_,
      .identity = identity_,
      .numerics = numerics_,
      .gemm_table = config_->gemm_table.rules_text(),
      .monitor = monitoring_.state(),
      .tokenizer_model = tokenizer_model_,
      .settings = settings_,
      .lr = schedule_.lr(state_.step),
  };
}

/// Returns how the run ends, if the state is no good or the disk was not for too long.
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
  if (result.update == Update::applied) {
    sound_state_.reset();
  } else if (!sound_state_) {
    sound_state_ = {before, monitoring_.state()};
  }
}

/// Skipped updates have left the weights as they were: what is saved is the state before these.
void TrainingRun::save_sound_state() {
  if (!sound_state_ || sound_state_->state.step <= saver_.saved_step()) return;
  auto sound = request();
  sound.state = sound_state_->state;
  sound.monitor = sound_state_->monitor;
  sound.lr = schedule_.lr(sound.state.step);
  (void)saver_.save_last(std::move(sound));
}

/// A run that cannot go on, as when its dataset cannot be read any more, keeps what it has. Data Errors
/// are those that all ranks have agreed on.
void TrainingRun::rescue(const Error& error) {
  if (error.code() != ExitCode::data || state_.step <= saver_.saved_step()) return;
  log_.say(fmt::format("the run cannot go on; saving step {} first", state_.step));
  if (sound_state_) {
    save_sound_state();
  } else {
    (void)saver_.save_last(request());
  }
}

/// Measured beside planned, once steps have touched all that they will.
void TrainingRun::report_memory() {
  const auto& host_of = engine_.topology().host_of;
  const bool is_counted = host_of[narrow<std::size_t>(world_->rank())] == host_of[0];
  const auto own = is_counted ? narrow<std::int64_t>(memory_use().pss) : 0;
  const auto measured = narrow<std::uint64_t>(world_->sum(own, {"memory of the host"}));
  log_.say(
      fmt::format("memory measured on rank 0's host: {}, programs and libraries included; {} "
                  "were planned for tensors",
                  human_bytes(measured), human_bytes(engine_.plan().host_bytes)));
}

void TrainingRun::write_profile() {
  if (!profiler_) return;
  try {
    log_.say(profiler_->write(*world_, engine_));
  } catch (const Error& error) {
    if (error.code() != ExitCode::data) throw;
    log_.say(fmt::format("warning: there is no profile: {}", error.what()));
  }
}

/// Returns how the run ends: a last state that cannot be saved is no good end.
ExitCode TrainingRun::save_last(ExitCode code) {
  if (saver_.saved_step() == state_.step) return code;
  const ProfileSpan span{profile(), Region::checkpoint};
  const Saved saved = saver_.save_last(request());
  if (saved == Saved::yes) return code;
  log_.say(fmt::format("step {} is lost: the last checkpoint is step {}", state_.step,
                       saver_.saved_step()));
  return saved == Saved::unsound ? ExitCode::unstable : ExitCode::internal;
}

ExitCode TrainingRun::finish(ExitCode code) {
  report_memory();
  code = save_last(code);
  write_profile();
  const auto saved_hash = saver_.saved_step() == state_.step ? saver_.saved_hash() : std::nullopt;
  const Hash128 hash =
      saved_hash ? *saved_hash
                 : checkpoint::state_hash(*world_, engine_.layout(), engine_.tensors(), state_);
  log_.say(fmt::format("done: step {}, state hash {}", state_.step, hash.hex()));
  log_.say(fmt::format("look: ballast report {}", config_->run.dir.string()));
  return code;
}

/// Replaces parallel.threads and helpers = auto by numbers. Returns what to say about them.
/// Collective.
std::string settle_binding(comm::Communicator& world, Config& config) {
  const auto topology = fsdp::discover_topology(world);
  const auto processors_of = gather_processors(world);
  const std::string text = describe_binding(topology, processors_of, config.parallel);
  settle_threads(config.parallel, topology, processors_of);
  return text;
}

/// What ended a run stands where its results are, and not on standard error alone. A disk that does
/// not take it changes nothing about the end.
void append_last_words(const std::filesystem::path& file, const Error& error) {
  try {
    storage::AppendFile{file}.write_line(fmt::format("ended: {}", error.what()));
  } catch (const Error&) {
  }
}

/// A training in its directory, from the checkpoint to resume to its end.
ExitCode train_in(comm::Communicator& world, const StopSignal& stop_signal, Config& config,
                  const data::Dataset& dataset, std::vector<std::string> notes,
                  const std::string& resolved_ini) {
  const ResumePoint from = find_resume_point(world, config);
  require_same_checkpoint(world, from.checkpoint);
  if (from.checkpoint) {
    config.gemm_table = resumed_gemm_table(world, config, from.checkpoint->folder);
  }
  notes.push_back(settle_binding(world, config));
  end_if_stopped(world, stop_signal);
  TrainingRun run{world, stop_signal, config, dataset, std::move(notes), resolved_ini};
  end_if_stopped(world, stop_signal);
  run.start(from);
  run.open_log(from);
  return run.run();
}

}  // namespace

ExitCode train(comm::Communicator& world, const StopSignal& stop_signal, const Config& given,
               const std::string& resolved_ini) {
  Config config = given;
  config.validate();
  world.set_timeout_s(config.parallel.timeout_s);
  const data::Dataset dataset = open_training_data(world, config);
  comm::agree(world, "monitor",
              [&] { config.monitor.held_out_every = settle_held_out(config, dataset); });
  config.model.vocabulary = dataset.info().vocabulary;
  auto notes = describe_training_data(config, dataset);
  notes.push_back(verify_training_data(world, dataset, config.data.verify));
  end_if_stopped(world, stop_signal);

  const RunDirectory run_directory{world, config.run.dir};
  world.set_last_words(config.run.dir / kTextLog);
  try {
    return train_in(world, stop_signal, config, dataset, std::move(notes), resolved_ini);
  } catch (const Error& error) {
    if (world.is_root()) append_last_words(config.run.dir / kTextLog, error);
    throw;
  }
}

}  // namespace ballast::train
