#include "cli/options.hpp"

#include <fmt/format.h>
#include <iterator>

#include "base/team.hpp"
#include "cli/ini.hpp"
#include "monitor/spectral/spectral_probe.hpp"

namespace ballast::cli {

namespace {

using fsdp::Backend;
using fsdp::Sharding;
using optim::ScheduleKind;
using train::LossScaling;
using Options = std::vector<Option>;

// So wide that no machine gets there, so narrow that products of a few stay within 64 bits.
constexpr Limits kWidth{1, 1u << 20};
constexpr Limits kLayers{1, 1u << 16};
constexpr Limits kSequences{1, 1u << 24};
// Random numbers count steps in 32 bits.
constexpr Limits kSteps{1, UINT32_MAX};
constexpr Limits kEvery{0, UINT32_MAX};

Options model_options(model::ModelConfig& c) {
  return {
      whole("model.dim", c.dim, kWidth, "width of the residual stream"),
      whole("model.layers", c.layers, kLayers, "transformer blocks"),
      whole("model.heads", c.heads, kWidth, "attention heads; divide dim"),
      whole("model.kv_heads", c.kv_heads, kWidth, "key and value heads; divide heads"),
      whole("model.ffn", c.ffn, kWidth, "width of the feed-forward layer"),
      choice("model.norm", c.norm,
             {{"rms", kernels::NormKind::rms}, {"layer", kernels::NormKind::layer}},
             "RMSNorm or LayerNorm"),
      choice("model.norm_placement", c.norm_placement,
             {{"pre", model::NormPlacement::pre},
              {"post", model::NormPlacement::post},
              {"none", model::NormPlacement::none}},
             "normalise before each sublayer, after it, or not at all"),
      boolean("model.qk_norm", c.qk_norm, "normalise queries and keys"),
      fixed("model.position", "rope", "rotary position embedding"),
      fixed("model.activation", "swiglu", "gated feed-forward layer"),
      boolean("model.tie_embeddings", c.tie_embeddings, "one matrix for embedding and output"),
      boolean("model.document_attention", c.document_attention,
              "attention stops at document boundaries"),
      number("model.norm_epsilon", c.norm_epsilon, kAboveZero, "added to a norm's denominator"),
      number("model.rope_base", c.rope_base, kAboveZero, "base of the rotary frequencies"),
      number("model.init_std", c.init_std, kZeroOrMore, "spread of the initial weights"),
      number("model.init_depth_scale", c.init_depth_scale, kZeroOrMore,
             "residual outputs start at init_std times this over sqrt(2 layers)"),
  };
}

Options data_options(train::DataConfig& c) {
  return {
      own_to_a_rank(
          required(word("data.path", "FILE", c.path, "dataset made by 'ballast prepare'"))),
      whole("data.seq_len", c.seq_len, kSequences, "tokens in a sequence"),
      whole("data.micro_batch", c.micro_batch, kSequences,
            "sequences that pass through the model together"),
      whole("data.leaf_micro_batches", c.leaf_micro_batches, kSequences,
            "micro-batches that a rank adds up before one reduction"),
      whole("data.global_batch", c.global_batch, kSequences,
            "sequences a step; a multiple of micro_batch times leaf_micro_batches"),
      choice("data.verify", c.verify,
             {{"auto", train::Verify::automatic},
              {"full", train::Verify::full},
              {"header", train::Verify::header}},
             "read the whole dataset before the first step, and unpack it, too (full), or its "
             "header, and each block before its first use; auto: all of up to 16 GiB is read"),
  };
}

/// A whole number that the program finds for itself where nobody gives it.
Option whole_or_auto(const char* name, std::optional<std::size_t>& value, Limits limits,
                     const char* description) {
  constexpr const char* kAuto = "auto";
  Option option = whole(name, value, limits, kAuto, description);
  option.value_name = "auto|N";
  option.takes = "auto, or " + option.takes;
  option.set = [&value, set_number = option.set](const std::string& text) {
    if (text != kAuto) return set_number(text);
    value.reset();
    return true;
  };
  return option;
}

Options parallel_options(train::ParallelConfig& c) {
  return {
      choice("parallel.sharding", c.sharding,
             {{"full", Sharding::full},
              {"grad_op", Sharding::grad_op},
              {"hybrid", Sharding::hybrid},
              {"none", Sharding::none}},
             "what is spread over the ranks: everything; everything, but gathered once a step; "
             "everything within groups; nothing"),
      whole("parallel.shard_group", c.shard_group, {1, UINT32_MAX}, "none",
            "hybrid: ranks that share one copy of the weights; divides the ranks"),
      choice("parallel.backend", c.backend,
             {{"auto", Backend::automatic}, {"region", Backend::region}, {"mpi", Backend::mpi}},
             "what moves the bytes: memory that the ranks of a host share, or messages; auto: the "
             "region where it reaches"),
      word("parallel.reshard_after_forward", "true|false|N", c.reshard_after_forward,
           "messages: give up a gathered unit after its forward; N: groups of N ranks keep a copy"),
      whole("parallel.prefetch_units", c.prefetch_units, {0, 1u << 16},
            "messages: units whose gather starts ahead"),
      word("parallel.wrap", "block|blocks:N|size:N|whole", c.wrap,
           "what is gathered together: a block, N blocks, blocks of at least N parameters, all"),
      word("parallel.recompute", "none|full|selective[:PART]|every:N[:PART]", c.recompute,
           "activations computed again in the backward to save memory, of all or of every Nth "
           "block; PART: attention or feed_forward"),
      own_to_a_rank(whole_or_auto("parallel.threads", c.threads, {1, Team::kMostWorkers},
                                  "threads a rank; auto: the cores that it has for itself")),
      own_to_a_rank(whole_or_auto(
          "parallel.helpers", c.helpers, {0, Team::kMostHelpers},
          "threads besides, that run where processors are idle because ranks wait; auto: 2 a rank "
          "of one thread, 1 where there are two")),
      number("parallel.timeout_s", c.timeout_s, kAboveZero,
             "seconds that a rank waits for its peers before it names them and ends"),
  };
}

Options precision_options(train::PrecisionConfig& c) {
  return {
      choice(
          "precision.param", c.param,
          {{"fp32", ElementType::fp32}, {"bf16", ElementType::bf16}, {"fp16", ElementType::fp16}},
          "what weights and activations are rounded to where they are multiplied"),
      fixed("precision.reduce", "fp32", "what gradients are added up in"),
      fixed("precision.master", "fp32", "what the optimiser updates"),
      fixed("precision.moments", "fp32", "AdamW's moments"),
      choice("precision.residual", c.residual,
             {{"fp32", ElementType::fp32}, {"bf16", ElementType::bf16}},
             "the residual stream between blocks"),
      choice("precision.loss_scaling", c.loss_scaling,
             {{"auto", LossScaling::automatic},
              {"dynamic", LossScaling::dynamic},
              {"none", LossScaling::none}},
             "multiply the loss so that small gradients survive; auto: dynamic for fp16"),
      number("precision.initial_scale", c.scaler.initial, kAboveZero,
             "the loss scale to start with, a power of two"),
      whole("precision.growth_interval", c.scaler.growth_interval, {1, UINT32_MAX},
            "steps without overflow after which the loss scale doubles"),
      whole("precision.hysteresis", c.scaler.hysteresis, {1, UINT32_MAX},
            "overflows before the loss scale is halved"),
  };
}

Options optim_options(train::OptimConfig& c) {
  return {
      number("optim.lr", c.lr, kZeroOrMore, "learning rate at its peak"),
      number("optim.beta1", c.beta1, kBelowOne, "decay of AdamW's first moment"),
      number("optim.beta2", c.beta2, kBelowOne, "decay of AdamW's second moment"),
      number("optim.epsilon", c.epsilon, kAboveZero, "added to AdamW's denominator"),
      number("optim.weight_decay", c.weight_decay, kZeroOrMore,
             "decoupled weight decay; norms are left out"),
      number("optim.clip", c.clip, kZeroOrMore, "largest global gradient norm; 0: no clipping"),
  };
}

Options schedule_options(train::ScheduleConfig& c) {
  return {
      choice("schedule.kind", c.kind,
             {{"cosine", ScheduleKind::cosine},
              {"linear", ScheduleKind::linear},
              {"constant", ScheduleKind::constant},
              {"wsd", ScheduleKind::wsd}},
             "course of the learning rate; wsd: warm-up, stable, decay"),
      whole("schedule.warmup", c.warmup, kEvery, "5% of schedule.steps",
            "steps of linear warm-up; may exceed the run"),
      whole("schedule.steps", c.steps, kSteps, "run.steps", "length of the schedule"),
      number("schedule.min_lr", c.min_lr, kZeroOrMore, "learning rate at the end"),
      number("schedule.decay_fraction", c.decay_fraction, kShare,
             "wsd: the last part of the schedule, in which the rate falls"),
  };
}

Options checkpoint_options(train::CheckpointConfig& c) {
  return {
      whole("checkpoint.every", c.every, kEvery,
            "steps between saves; 0: by the clock, at the end and on signals only"),
      number("checkpoint.every_minutes", c.every_minutes, kZeroOrMore,
             "minutes between saves, besides those by steps; 0: none"),
      whole("checkpoint.keep", c.keep, {1, UINT32_MAX}, "how many of the newest are kept"),
      whole("checkpoint.keep_every", c.keep_every, kEvery,
            "keeps those of its multiples, in steps, for ever; 0: none"),
      whole("checkpoint.give_up", c.give_up, kEvery,
            "failed saves in a row after which the run ends; 0: it never does"),
      word("checkpoint.resume", "false|true|PATH", c.resume,
           "true: from the newest, or a fresh start; PATH: from that checkpoint"),
      choice("checkpoint.numerics", c.numerics,
             {{"same", train::NumericsPolicy::same}, {"any", train::NumericsPolicy::any}},
             "resume only where the checkpoint's libraries and instruction set are in use, or "
             "anywhere"),
  };
}

Options monitor_options(train::MonitorConfig& c) {
  return {
      whole("monitor.every", c.every, kEvery,
            "steps between probes of the residual stream; 5 times as often in warm-up and after an "
            "alert; 0: no monitor"),
      whole("monitor.tokens", c.tokens, {2, 1u << 24}, "tokens that a probe samples of a step"),
      whole("monitor.rank", c.rank, {1, monitor::SpectralProbe::kWidest}, "64",
            "directions in which streams wider than 256 are looked at"),
      whole("monitor.held_out_every", c.held_out_every, kEvery, "100",
            "steps between probes of held-out text; 0: none"),
      choice("monitor.on_alert", c.on_alert,
             {{"log", monitor::OnAlert::log},
              {"checkpoint", monitor::OnAlert::checkpoint},
              {"lower_lr", monitor::OnAlert::lower_lr},
              {"stop", monitor::OnAlert::stop}},
             "besides writing it down: save, halve the learning rate, or stop with exit code 4"),
      word("monitor.calibration", "FILE", c.calibration,
           "risk as 'ballast monitor calibrate' fits it; without one: as shipped"),
  };
}

Options experimental_options(train::ExperimentalConfig& c) {
  return {
      number("experimental.kss", c.kss, kZeroOrMore,
             "weight of a loss on the blocks' spectra while the monitor is in alarm, say 0.15 "
             "(Koopman Spectral Shaping); 0: off"),
      number("experimental.qk_clip", c.qk_clip, kZeroOrMore,
             "attention logits above it have the block's query and key weights scaled down, say "
             "100 (QK-Clip); 0: off"),
  };
}

Options run_options(train::RunConfig& c) {
  return {
      required(word("run.dir", "FOLDER", c.dir, "where log and checkpoints go")),
      whole("run.steps", c.steps, kSteps, "steps to train"),
      whole("run.stop_at", c.stop_at, kSteps, "run.steps",
            "stop after this step; the schedule does not change"),
      whole("run.seed", c.seed, {}, "seed of the weights and of the data order"),
      word("run.gemm_table", "FILE", c.gemm_table,
           "which library multiplies what, as 'ballast tune' wrote it; without one: as shipped"),
  };
}

void append(Options& all, Options section) {
  all.insert(all.end(), std::make_move_iterator(section.begin()),
             std::make_move_iterator(section.end()));
}

}  // namespace

std::vector<Option> training_options(train::Config& config) {
  Options all = model_options(config.model);
  append(all, data_options(config.data));
  append(all, parallel_options(config.parallel));
  append(all, precision_options(config.precision));
  append(all, optim_options(config.optim));
  append(all, schedule_options(config.schedule));
  append(all, checkpoint_options(config.checkpoint));
  append(all, monitor_options(config.monitor));
  append(all, experimental_options(config.experimental));
  append(all, {whole("eval.every", config.eval_every, kEvery, "steps between evaluations; 0: none"),
               whole("log.every", config.log_every, kEvery, "steps between records; 0: none"),
               whole("log.profile", config.log_profile, kEvery,
                     "steps to profile, the last of the run: a trace a rank and a table of kernels "
                     "in run.dir/profile; 0: none")});
  append(all, run_options(config.run));
  return all;
}

std::string to_ini(const train::Config& config) {
  train::Config copy = config;
  std::string ini;
  std::string section;
  for (const auto& option : training_options(copy)) {
    const auto value = option.get();
    if (!value) continue;
    if (section_of(option) != section) {
      ini += fmt::format("{}[{}]\n", ini.empty() ? "" : "\n", section_of(option));
      section = section_of(option);
    }
    ini += fmt::format("{} = {}\n", key_of(option), ini_value(*value));
  }
  return ini;
}

}  // namespace ballast::cli
