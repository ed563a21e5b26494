#include <cmath>
#include <memory>
#include <optional>

#include "base/clock.hpp"
#include "base/narrow.hpp"
#include "base/process.hpp"
#include "base/text.hpp"
#include "checkpoint/checkpoint.hpp"
#include "comm/agree.hpp"
#include "storage/files.hpp"
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
#include "train/run_directory.hpp"
#include "train/stop.hpp"
#include "train/summary.hpp"
#include "train/trainer.hpp"

namespace ballast::train {

namespace {

/// Updates skipped in a row before the run is given up: the weights no longer change, so more of
/// the same would only burn time. An alert comes first.
constexpr std::uint64_t kPatience = 2 * monitor::Detectors::kManySkips;

/// While a checkpoint moves, ranks wait for the slowest disk, which may take that much longer than
/// the slowest message.
constexpr double kDiskPatience = 10.0;

/// Gives collectives more time for its lifetime.
class PatientCollectives {
 public:
  PatientCollectives(comm::Communicator& world, double timeout_s)
      : world_{&world}, timeout_s_{timeout_s} {
    world.set_timeout_s(kDiskPatience * timeout_s);
  }
  ~PatientCollectives() { world_->set_timeout_s(timeout_s_); }
  PatientCollectives(const PatientCollectives&) = delete;
  PatientCollectives& operator=(const PatientCollectives&) = delete;

 private:
  comm::Communicator* world_;
  double timeout_s_;
};

/// One training from its first step to its last: what `train` does once everything is open.
class TrainingRun {
 public:
  /// `binding`: what to say of ranks, threads and processors.
  TrainingRun(comm::Communicator& world, const StopSignal& stop_signal, const Config& config,
              const data::Dataset& dataset, std::string binding)
      : world_{&world},
        stop_signal_{&stop_signal},
        config_{&config},
        binding_{std::move(binding)},
        schedule_{make_schedule(config)},
        identity_{make_identity(config, dataset.info())},
        profiler_{config.log_profile == 0 ? nullptr : std::make_unique<Profiler>(config)},
        engine_{config, world, dataset, profile()},
        monitoring_{config, world, engine_},
        numerics_{numerics_fingerprint(engine_.gemm())} {
    require_same_numerics(world, numerics_);
  }

  void start(const std::optional<std::filesystem::path>& checkpoint);
  void open_log(const std::string& resolved_ini);
  ExitCode run();

 private:
  [[nodiscard]] Profile* profile() { return profiler_ ? &profiler_->profile() : nullptr; }
  void resume(const std::filesystem::path& checkpoint);
  void introduce();
  void calibrate();
  void write_profile();
  [[nodiscard]] bool is_due(std::uint64_t every) const {
    return every != 0 && (state_.step % every == 0 || state_.step == config_->last_step());
  }
  void carry_loss_scale(const checkpoint::TrainingState& fresh);
  [[nodiscard]] std::string scale_change(const StepResult& result) const;
  [[nodiscard]] StopCause stop_cause() const;
  StepResult timed_step();
  std::optional<ExitCode> after_step(const StepResult& result);
  void count_skipped(const StepResult& result);
  void write_record(const StepResult& result);
  void report_memory();
  void save();
  ExitCode finish(ExitCode code);

  comm::Communicator* world_;
  const StopSignal* stop_signal_;
  const Config* config_;
  std::string binding_;
  optim::Schedule schedule_;
  Identity identity_;
  std::unique_ptr<Profiler> profiler_;  ///< null: nobody looks where the time goes
  Engine engine_;
  Monitoring monitoring_;
  std::string numerics_;
  MetricsLog log_ = MetricsLog::silent();
  checkpoint::TrainingState state_;
  std::optional<std::filesystem::path> resumed_from_;
  std::uint64_t saved_step_ = 0;
  std::optional<Hash128> saved_hash_;  ///< of the state at that step, where this run saved it
  Meter meter_;
  double lr_ = 0.0;
  monitor::Duty duty_ = monitor::Duty::none;  ///< what the monitor wants done after this step
  std::uint64_t skipped_in_a_row_ = 0;
};

void TrainingRun::start(const std::optional<std::filesystem::path>& checkpoint) {
  resumed_from_ = checkpoint;
  state_ = engine_.initial_state();
  if (checkpoint) {
    resume(*checkpoint);
  } else {
    engine_.initialise();
  }
}

void TrainingRun::resume(const std::filesystem::path& checkpoint) {
  comm::agree(*world_, "checkpoint.resume", [&] {
    const auto manifest = checkpoint::Manifest::read(checkpoint);
    require_same_training(manifest.identity, identity_);
    if (config_->checkpoint.numerics == NumericsPolicy::same && manifest.numerics != numerics_) {
      throw data_error(
          "{}: was computed with other numerics, so the run would not continue to the same bits:\n"
          "  checkpoint: {}\n  now:        {}\nset checkpoint.numerics = any to go on all the same",
          checkpoint.string(), manifest.numerics, numerics_);
    }
  });
  const PatientCollectives patience{*world_, config_->parallel.timeout_s};
  const checkpoint::TrainingState fresh = state_;
  engine_.begin_load();
  const auto manifest = checkpoint::load(*world_, engine_.layout(), checkpoint, engine_.tensors());
  state_ = manifest.state;
  engine_.finish_load();
  if (!manifest.monitor.empty()) monitoring_.restore(manifest.monitor, checkpoint.string());
  carry_loss_scale(fresh);
  saved_step_ = state_.step;
}

/// A run that changes its precision on resume takes the loss scale that it would have started with.
void TrainingRun::carry_loss_scale(const checkpoint::TrainingState& fresh) {
  const bool was_scaled = state_.scale_tolerance > 0;
  if (was_scaled == config_->precision.scales_loss()) return;
  state_.loss_scale = fresh.loss_scale;
  state_.scale_good_steps = fresh.scale_good_steps;
  state_.scale_tolerance = fresh.scale_tolerance;
}

void TrainingRun::open_log(const std::string& resolved_ini) {
  comm::agree(*world_, "run directory", [&] {
    if (!world_->is_root()) return;
    const auto& dir = config_->run.dir;
    const auto lost = describe_unsaved_end(dir, state_.step);
    storage::write_text_atomically(dir / "config.resolved.ini", resolved_ini);
    storage::write_text_atomically(dir / "gemm_table.txt", config_->gemm_table.text());
    log_ = MetricsLog{dir, state_.step};
    introduce();
    if (lost) log_.say(*lost);
  });
}

void TrainingRun::introduce() {
  log_.say(describe_model(*config_, engine_.layout().table().total_numel()));
  log_.say(fmt::format("job: {} rank(s), {} leaves of {} sequences a step, {} tokens a step",
                       world_->size(), config_->data.leaves(), config_->data.leaf_sequences(),
                       with_thousands(config_->data.global_batch * config_->data.seq_len)));
  log_.say(binding_);
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
  if (resumed_from_) {
    log_.say(fmt::format("resumed from {} at step {}", resumed_from_->string(), state_.step));
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
  engine_.observe(monitoring_.observer_for(step));
  const StepResult result = engine_.step(state_, lr_, stop_cause());
  engine_.observe(nullptr);
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
  const bool is_saved_now =
      config_->checkpoint.every != 0 && state_.step % config_->checkpoint.every == 0;
  if (is_saved_now || duty_ == monitor::Duty::save) save();
  if (skipped_in_a_row_ >= kPatience) {
    log_.say(fmt::format(
        "stopped: {} updates in a row had a non-finite loss or gradient; lower optim.lr and "
        "resume from an earlier checkpoint",
        kPatience));
    return ExitCode::unstable;
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

void TrainingRun::save() {
  const ProfileSpan span{profile(), Region::checkpoint};
  const PatientCollectives patience{*world_, config_->parallel.timeout_s};
  const auto saved = checkpoint::save(*world_, engine_.layout(), engine_.tensors(),
                                      {
                                          .run_dir = config_->run.dir,
                                          .state = state_,
                                          .identity = identity_,
                                          .numerics = numerics_,
                                          .gemm_table = config_->gemm_table.rules_text(),
                                          .monitor = monitoring_.state(),
                                          .keep = config_->checkpoint.keep,
                                      });
  saved_step_ = state_.step;
  saved_hash_ = saved.hash;
  log_.say(fmt::format("saved {} (state {})", saved.folder.string(), saved.hash.hex()));
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
  const PatientCollectives patience{*world_, config_->parallel.timeout_s};
  log_.say(profiler_->write(*world_, engine_));
}

ExitCode TrainingRun::finish(ExitCode code) {
  report_memory();
  if (saved_step_ != state_.step) save();
  write_profile();
  const Hash128 hash =
      saved_hash_ ? *saved_hash_
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

}  // namespace

ExitCode train(comm::Communicator& world, const StopSignal& stop_signal, const Config& given,
               const std::string& resolved_ini) {
  Config config = given;
  config.validate();
  world.set_timeout_s(config.parallel.timeout_s);
  std::optional<data::Dataset> dataset;
  comm::agree(world, "data.path", [&] {
    dataset.emplace(config.data.path);
    (void)dataset->windows(data::Split::train, config.data.seq_len);
    if (config.eval_every != 0)
      (void)dataset->windows(data::Split::validation, config.data.seq_len);
    config.monitor.held_out_every = settle_held_out(config, *dataset);
  });
  config.model.vocabulary = dataset->info().vocabulary;
  end_if_stopped(world, stop_signal);

  const RunDirectory run_directory{world, config.run.dir};
  const auto checkpoint = checkpoint_to_resume(world, config);
  if (checkpoint) config.gemm_table = resumed_gemm_table(world, config, *checkpoint);
  const std::string binding = settle_binding(world, config);
  end_if_stopped(world, stop_signal);
  TrainingRun run{world, stop_signal, config, *dataset, binding};
  end_if_stopped(world, stop_signal);
  run.start(checkpoint);
  run.open_log(resolved_ini);
  return run.run();
}

}  // namespace ballast::train
