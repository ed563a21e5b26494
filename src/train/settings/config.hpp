#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "fsdp/policy.hpp"
#include "kernels/gemm/gemm_table.hpp"
#include "model/model_config.hpp"
#include "model/transformer.hpp"
#include "monitor/alerts/action.hpp"
#include "monitor/alerts/calibration.hpp"
#include "optim/loss_scaler.hpp"
#include "optim/schedule.hpp"
#include "tensor/element.hpp"

namespace ballast::train {

/// How much of the dataset is held against its hashes before the first step.
enum class Verify {
  automatic,  ///< all of a file of up to kWholeByDefault; above that, as `header`
  full,       ///< all of it, and every token and weight is unpacked and looked at
  header,     ///< what it says of itself; each block before its first use
};
inline constexpr std::uint64_t kWholeByDefault = std::uint64_t{16} << 30;

/// Section [data].
struct DataConfig {
  std::filesystem::path path;
  std::size_t seq_len = 256;
  std::size_t micro_batch = 8;         ///< sequences that pass through the model together
  std::size_t leaf_micro_batches = 1;  ///< micro-batches added up on a rank before one reduction
  std::size_t global_batch = 16;       ///< sequences a step
  Verify verify = Verify::automatic;

  [[nodiscard]] std::size_t leaf_sequences() const { return micro_batch * leaf_micro_batches; }
  [[nodiscard]] std::size_t leaves() const { return global_batch / leaf_sequences(); }
};

/// Section [parallel].
struct ParallelConfig {
  fsdp::Sharding sharding = fsdp::Sharding::full;
  std::optional<std::size_t> shard_group;  ///< hybrid: ranks that share a copy of the weights
  fsdp::Backend backend = fsdp::Backend::automatic;
  std::string reshard_after_forward = "true";  ///< "true", "false" or a number of ranks
  std::size_t prefetch_units = 0;              ///< units gathered ahead, by messages
  std::string wrap = "block";                  ///< "block", "blocks:N", "size:N" or "whole"
  /// Threads a rank. Of a config as given, nothing: as many as it has cores for itself; `train`
  /// fills that in.
  std::optional<std::size_t> threads;
  /// Threads a rank beyond these, for processors that ranks leave idle while they wait. Nothing:
  /// as train::automatic_helpers says; `train` fills that in.
  std::optional<std::size_t> helpers;
  std::string recompute = "none";  ///< as model::RecomputePolicy::parse reads it
  double timeout_s = 300.0;  ///< how long a rank waits for its peers before it names them and ends
};

/// What an overflow of a narrow gradient is met with.
enum class LossScaling { automatic, dynamic, none };

/// Section [precision].
struct PrecisionConfig {
  ElementType param = ElementType::fp32;              ///< what the model computes with
  ElementType residual = ElementType::fp32;           ///< the stream between blocks
  LossScaling loss_scaling = LossScaling::automatic;  ///< dynamic for fp16, none otherwise
  optim::LossScalerConfig scaler;

  [[nodiscard]] bool scales_loss() const {
    return loss_scaling == LossScaling::automatic ? param == ElementType::fp16
                                                  : loss_scaling == LossScaling::dynamic;
  }
};

/// Section [optim].
struct OptimConfig {
  double lr = 3e-4;
  double beta1 = 0.9;
  double beta2 = 0.95;
  double epsilon = 1e-8;
  double weight_decay = 0.1;
  double clip = 1.0;  ///< largest global gradient norm; 0 switches clipping off
};

/// Section [schedule].
struct ScheduleConfig {
  optim::ScheduleKind kind = optim::ScheduleKind::cosine;
  std::optional<std::uint64_t> warmup;  ///< default: 5% of steps
  std::optional<std::uint64_t> steps;   ///< default: run.steps
  double min_lr = 0.0;
  double decay_fraction = 0.2;
};

/// Whether a resume insists on the numerics (library, instruction set) of its checkpoint.
enum class NumericsPolicy { same, any };

/// Section [checkpoint].
struct CheckpointConfig {
  std::uint64_t every = 0;       ///< steps between saves; 0: none by steps
  double every_minutes = 30.0;   ///< between saves, by rank 0's clock; 0: none by the clock
  std::size_t keep = 2;          ///< the newest; more may be there by keep_every
  std::uint64_t keep_every = 0;  ///< steps: of its multiples every checkpoint stays; 0: none
  std::uint64_t give_up = 5;     ///< failed saves in a row that end the run; 0: none do
  std::string resume = "false";  ///< "false", "true" (the newest, or a fresh start) or a path
  NumericsPolicy numerics = NumericsPolicy::same;
};

/// Directions in which the monitor looks at streams that are too wide to be taken whole.
inline constexpr std::size_t kDefaultMonitorRank = 64;

/// Section [monitor].
struct MonitorConfig {
  std::uint64_t every = 25;         ///< steps between probes, but in warm-up and alarm
  std::size_t tokens = 2048;        ///< that a probe samples
  std::optional<std::size_t> rank;  ///< directions of streams wider than 256; default 64
  /// Steps between probes of held-out text; default: 100, where there is any.
  std::optional<std::uint64_t> held_out_every;
  monitor::OnAlert on_alert = monitor::OnAlert::log;
  std::filesystem::path calibration;  ///< by `ballast monitor calibrate`; empty: shipped
};

/// Section [experimental]: what the monitor may do besides warning. 0: off.
struct ExperimentalConfig {
  double kss = 0.0;      ///< α of Koopman Spectral Shaping while there is an alarm
  double qk_clip = 0.0;  ///< τ: attention logits above it have their block's W_q and W_k scaled
};

/// Section [run].
struct RunConfig {
  std::filesystem::path dir;
  std::uint64_t steps = 1000;
  std::optional<std::uint64_t> stop_at;  ///< stop earlier; the schedule does not change
  std::uint64_t seed = 1;
  std::filesystem::path gemm_table;  ///< written by `ballast tune`; empty: the shipped one
};

/// Everything that `ballast train` can be told. An `every` of 0 switches off.
struct Config {
  model::ModelConfig model;
  DataConfig data;
  ParallelConfig parallel;
  PrecisionConfig precision;
  OptimConfig optim;
  ScheduleConfig schedule;
  CheckpointConfig checkpoint;
  MonitorConfig monitor;
  ExperimentalConfig experimental;
  RunConfig run;
  std::uint64_t eval_every = 0;
  std::uint64_t log_every = 10;
  std::size_t log_profile = 0;  ///< steps to trace, the last of a run; 0: no profile

  /// What monitor.calibration holds: the same on every rank.
  monitor::Calibration calibration = monitor::Calibration::shipped();

  /// What run.gemm_table holds: the same text on every rank.
  kernels::GemmTable gemm_table = kernels::GemmTable::shipped();

  [[nodiscard]] std::uint64_t last_step() const { return run.stop_at.value_or(run.steps); }

  /// Checks what one key alone cannot show; throws a usage Error that names the keys.
  void validate() const;
  /// The part of it that a memory plan rests on: a run directory is not needed.
  void validate_plan() const;
};

/// The choices that `fsdp` and `model` act on; texts are parsed here, with usage Errors that name
/// the keys.
[[nodiscard]] fsdp::Policy make_policy(const Config& config);
[[nodiscard]] model::TransformerOptions make_model_options(const Config& config);

/// The learning-rate schedule that a configuration asks for, defaults worked out.
[[nodiscard]] optim::Schedule make_schedule(const Config& config);

}  // namespace ballast::train
