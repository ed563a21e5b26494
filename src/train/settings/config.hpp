#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "fsdp/policy.hpp"
#include "fsdp/topology.hpp"
#include "kernels/gemm/gemm_table.hpp"
#include "model/freeze.hpp"
#include "model/model_config.hpp"
#include "model/recompute.hpp"
#include "model/wrap.hpp"
#include "monitor/alerts/action.hpp"
#include "monitor/alerts/calibration.hpp"
#include "monitor/defaults.hpp"
#include "optim/adamw.hpp"
#include "optim/loss_scaler.hpp"
#include "optim/schedule.hpp"
#include "tensor/element.hpp"
#include "train/settings/resume.hpp"

namespace ballast::train {

/// How much of the dataset is compared with its hashes before the first step.
enum class Verify {
  automatic,  ///< the whole file if it has at most kWholeByDefault bytes, else as `header`
  full,       ///< the whole file; every token and weight is also unpacked and checked
  header,     ///< the header; each block is checked before its first use
};
inline constexpr std::uint64_t kWholeByDefault = std::uint64_t{16} << 30;

constexpr auto words_of(EnumTag<Verify>) {
  return std::to_array<Word<Verify>>(
      {{Verify::automatic, "auto"}, {Verify::full, "full"}, {Verify::header, "header"}});
}

/// Section [data].
struct DataConfig {
  std::filesystem::path path;
  std::size_t seq_len = 256;
  std::size_t micro_batch = 8;         ///< sequences that pass through the model together
  std::size_t leaf_micro_batches = 1;  ///< micro-batches added up on a rank before one reduction
  std::size_t global_batch = 16;       ///< sequences per step
  std::size_t leaf_group = 1;          ///< leaves that are added up before the groups are
  Verify verify = Verify::automatic;

  [[nodiscard]] std::size_t leaf_sequences() const { return micro_batch * leaf_micro_batches; }
  [[nodiscard]] std::size_t leaves() const { return global_batch / leaf_sequences(); }
};

/// Section [parallel].
struct ParallelConfig {
  fsdp::Sharding sharding = fsdp::Sharding::full;
  std::optional<std::size_t> shard_group;  ///< hybrid: ranks that share a copy of the weights
  fsdp::Backend backend = fsdp::Backend::automatic;
  fsdp::Reshard reshard_after_forward = fsdp::Reshard::always();
  std::optional<std::size_t> prefetch_units;  ///< gathered ahead; not set: by the hosts there are
  model::Wrap wrap = model::Wrap::block();
  std::optional<std::size_t> threads;  ///< per rank; not set: automatic_threads()
  /// More threads per rank, for processors that other ranks leave idle while they wait. Not set:
  /// automatic_helpers().
  std::optional<std::size_t> helpers;
  model::RecomputePolicy recompute;
  double timeout_s = 300.0;  ///< how long a rank waits for its peers before it names them and ends
};

/// Whether the loss is scaled, so that gradients in fp16 neither vanish nor overflow.
enum class LossScaling { automatic, dynamic, none };

constexpr auto words_of(EnumTag<LossScaling>) {
  return std::to_array<Word<LossScaling>>({{LossScaling::automatic, "auto"},
                                           {LossScaling::dynamic, "dynamic"},
                                           {LossScaling::none, "none"}});
}

/// The type in which the sum of a group of leaves is passed on.
enum class GroupSum { fp32, bf16 };

constexpr auto words_of(EnumTag<GroupSum>) {
  return std::to_array<Word<GroupSum>>({{GroupSum::fp32, "fp32"}, {GroupSum::bf16, "bf16"}});
}

/// Section [precision].
struct PrecisionConfig {
  ElementType param = ElementType::fp32;              ///< of weights and activations in products
  ElementType residual = ElementType::fp32;           ///< the stream between blocks
  GroupSum group_sum = GroupSum::fp32;                ///< of gradients, once a group of leaves is
  LossScaling loss_scaling = LossScaling::automatic;  ///< dynamic for fp16, none otherwise
  optim::LossScalerConfig scaler;

  [[nodiscard]] bool scales_loss() const {
    return loss_scaling == LossScaling::automatic ? param == ElementType::fp16
                                                  : loss_scaling == LossScaling::dynamic;
  }
};

/// Section [optim].
struct OptimConfig {
  double lr = optim::Schedule{}.peak_lr;
  optim::AdamWConfig adamw;
  double clip = 1.0;    ///< largest global gradient norm; 0 switches clipping off
  double z_loss = 0.0;  ///< c of model::ZLoss; 0: none
  model::Freeze freeze = model::Freeze::nothing();
};

inline constexpr std::uint64_t kDefaultWarmupPercent = 5;

/// Section [schedule].
struct ScheduleConfig {
  optim::ScheduleKind kind = optim::Schedule{}.kind;
  std::optional<std::uint64_t> warmup;  ///< default: kDefaultWarmupPercent of steps
  std::optional<std::uint64_t> steps;   ///< default: run.steps
  double min_lr = optim::Schedule{}.min_lr;
  double decay_fraction = optim::Schedule{}.decay_fraction;
};

/// Whether a resume insists on the numerics (library, instruction set) of its checkpoint.
enum class NumericsPolicy { same, any };

constexpr auto words_of(EnumTag<NumericsPolicy>) {
  return std::to_array<Word<NumericsPolicy>>(
      {{NumericsPolicy::same, "same"}, {NumericsPolicy::any, "any"}});
}

/// What a model is exported as, for other programs to read.
enum class ExportFormat {
  none,
  hf,    ///< a Hugging Face folder
  gguf,  ///< a file of llama.cpp
};

constexpr auto words_of(EnumTag<ExportFormat>) {
  return std::to_array<Word<ExportFormat>>(
      {{ExportFormat::none, "none"}, {ExportFormat::hf, "hf"}, {ExportFormat::gguf, "gguf"}});
}

/// Section [checkpoint].
struct CheckpointConfig {
  std::uint64_t every = 0;       ///< steps between saves; 0: not by steps
  double every_minutes = 30.0;   ///< between saves, by rank 0's clock; 0: not by the clock
  std::size_t keep = 2;          ///< how many of the newest stay; keep_every may keep more
  std::uint64_t keep_every = 0;  ///< checkpoints of its multiples, in steps, stay for ever; 0: none
  std::uint64_t give_up = 5;     ///< failed saves in a row that end the run; 0: it goes on
  Resume resume = Resume::never();
  NumericsPolicy numerics = NumericsPolicy::same;
  ExportFormat export_as = ExportFormat::none;  ///< what the last checkpoint becomes, besides
};

/// Steps between probes of held-out text, where there is any.
inline constexpr std::uint64_t kDefaultHeldOutEvery = 100;

/// Section [monitor].
struct MonitorConfig {
  /// Steps between probes; fewer in warm-up and alarm.
  std::uint64_t every = monitor::kDefaultEvery;
  std::size_t tokens = monitor::kDefaultTokens;  ///< per probe
  /// Dimensions that wider streams are projected to; default: monitor::kDefaultRank.
  std::optional<std::size_t> rank;
  /// Steps between probes of held-out text; default: kDefaultHeldOutEvery, where there is any.
  std::optional<std::uint64_t> held_out_every;
  monitor::OnAlert on_alert = monitor::OnAlert::log;
  std::filesystem::path calibration;  ///< of `ballast monitor calibrate`; empty: the shipped one
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
  std::filesystem::path init;        ///< a model whose weights a fresh run begins with; or empty
};

/// Everything that `ballast train` can be told, as it was told: what follows from it is in a Job.
/// An `every` of 0 switches off. A vocabulary of 0 is the dataset's, which is not known here.
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

  /// The content of monitor.calibration, the same on every rank.
  monitor::Calibration calibration = monitor::Calibration::shipped();

  /// The content of run.gemm_table, the same on every rank.
  kernels::GemmTable gemm_table = kernels::GemmTable::shipped();

  [[nodiscard]] std::uint64_t last_step() const { return run.stop_at.value_or(run.steps); }

  /// Checks keys against one another; throws a usage Error that names them.
  void validate() const;
  /// The checks that a memory plan needs: run.dir may be empty.
  void validate_plan() const;
};

/// The vocabulary of a model that trains on a dataset: as large as the dataset's, or what was asked
/// for. A usage Error if that is smaller than the dataset's.
[[nodiscard]] std::size_t vocabulary_of(const model::ModelConfig& model, std::size_t of_dataset);

/// The choices that `fsdp` acts on.
[[nodiscard]] fsdp::Policy make_policy(const Config& config, const fsdp::Topology& topology);

/// The learning-rate schedule of a configuration, with its defaults filled in.
[[nodiscard]] optim::Schedule make_schedule(const Config& config);

}  // namespace ballast::train
