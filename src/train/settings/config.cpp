#include "train/settings/config.hpp"

#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "formats/gguf/gguf_architecture.hpp"
#include "formats/huggingface/family.hpp"
#include "fsdp/transport.hpp"

namespace ballast::train {

namespace {

void validate_precision(const PrecisionConfig& precision) {
  if (precision.param == ElementType::fp16 && precision.loss_scaling == LossScaling::none) {
    throw usage_error(
        "precision.loss_scaling = none with precision.param = fp16: small gradients would vanish; "
        "leave it at dynamic, or use bf16");
  }
  if (precision.residual == ElementType::fp16) {
    throw usage_error("precision.residual = fp16: the residual stream may be fp32 or bf16");
  }
}

void validate_monitor(const MonitorConfig& monitor, const model::ModelConfig& model) {
  if (monitor.rank && *monitor.rank > model.dim) {
    throw usage_error("monitor.rank = {} is above model.dim = {}", *monitor.rank, model.dim);
  }
}

void validate_experimental(const Config& config) {
  const auto& [kss, qk_clip] = config.experimental;
  const auto require_sane = [](const char* key, double value) {
    if (!std::isfinite(value) || value < 0.0) {
      throw usage_error("experimental.{} = {} must be 0 (off) or more", key, value);
    }
  };
  require_sane("kss", kss);
  require_sane("qk_clip", qk_clip);
  if (kss > 0.0 && config.monitor.every == 0) {
    throw usage_error(
        "experimental.kss = {} acts while the monitor is in alarm, but monitor.every = 0 switches "
        "it off: set one or the other",
        kss);
  }
  if (qk_clip > 0.0 && config.model.qk_norm) {
    throw usage_error(
        "experimental.qk_clip = {} has nothing to clip with model.qk_norm = true, which bounds "
        "attention logits by itself: leave one of them out",
        qk_clip);
  }
}

}  // namespace

void Config::validate_plan() const {
  model.validate();
  if (data.path.empty()) {
    throw usage_error("data.path is not set: name a dataset made by `ballast prepare`");
  }
  if (data.global_batch == 0 || data.global_batch % data.leaf_sequences() != 0) {
    throw usage_error(
        "data.global_batch = {} is not a multiple of data.micro_batch · data.leaf_micro_batches = "
        "{} · {}",
        data.global_batch, data.micro_batch, data.leaf_micro_batches);
  }
  model.require_context(data.seq_len, "data.seq_len");
  (void)parallel.wrap.grouping(model);
  validate_precision(precision);
  validate_monitor(monitor, model);
  validate_experimental(*this);
}

void Config::validate() const {
  validate_plan();
  if (run.dir.empty()) throw usage_error("run.dir is not set: name a folder for this run");
  if (optim.lr < schedule.min_lr) {
    throw usage_error("schedule.min_lr = {} is above optim.lr = {}", schedule.min_lr, optim.lr);
  }
  if (checkpoint.export_as == ExportFormat::hf) {
    with_context("checkpoint.export = hf", [&] { (void)formats::family_of(model); });
  }
  if (checkpoint.export_as == ExportFormat::gguf) {
    with_context("checkpoint.export = gguf", [&] { (void)formats::gguf_architecture_of(model); });
  }
  if (run.stop_at && *run.stop_at > run.steps) {
    throw usage_error("run.stop_at = {} lies beyond run.steps = {}", *run.stop_at, run.steps);
  }
}

std::size_t vocabulary_of(const model::ModelConfig& model, std::size_t of_dataset) {
  if (model.vocabulary == 0) return of_dataset;
  if (model.vocabulary < of_dataset) {
    throw usage_error(
        "model.vocabulary = {} is smaller than the dataset's vocabulary of {}: take a dataset of "
        "the model's tokenizer",
        model.vocabulary, of_dataset);
  }
  return model.vocabulary;
}

fsdp::Policy make_policy(const Config& config, const fsdp::Topology& topology) {
  return {
      .sharding = config.parallel.sharding,
      .shard_group = config.parallel.shard_group,
      .backend = config.parallel.backend,
      .reshard = config.parallel.reshard_after_forward,
      .prefetch_units =
          config.parallel.prefetch_units.value_or(fsdp::default_prefetch_units(topology)),
      .compute = config.precision.param,
      .leaf_micro_batches = config.data.leaf_micro_batches,
      .leaves = config.data.leaves(),
      .leaf_groups = {.size = config.data.leaf_group,
                      .rounds = config.precision.group_sum == GroupSum::bf16},
  };
}

optim::Schedule make_schedule(const Config& config) {
  const std::uint64_t steps = config.schedule.steps.value_or(config.run.steps);
  constexpr double kShare = static_cast<double>(kDefaultWarmupPercent) / 100.0;
  static_assert(kShare == 0.05);
  const auto default_warmup =
      static_cast<std::uint64_t>(std::llround(kShare * static_cast<double>(steps)));
  return {
      .kind = config.schedule.kind,
      .peak_lr = config.optim.lr,
      .min_lr = config.schedule.min_lr,
      .warmup = config.schedule.warmup.value_or(default_warmup),
      .steps = steps,
      .decay_fraction = config.schedule.decay_fraction,
  };
}

}  // namespace ballast::train
