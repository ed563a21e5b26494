#include <algorithm>
#include <cstdlib>
#include <gtest/gtest.h>
#include <map>
#include <set>
#include <sstream>

#include "base/error.hpp"
#include "cli/assignment.hpp"
#include "cli/ini.hpp"
#include "cli/resolved_config.hpp"
#include "cli/same_options.hpp"
#include "train/settings/keys.hpp"

namespace ballast::cli {
namespace {

/// Values other than the defaults that are worth a test of their own. A key that is not here takes
/// what other_value finds.
const std::map<std::string, std::string> kOddValues{
    {"model.dim", "96"},
    {"model.layers", "3"},
    {"model.heads", "6"},
    {"model.kv_heads", "2"},
    {"model.ffn", "257"},
    {"model.norm", "layer"},
    {"model.norm_placement", "post"},
    {"model.qk_norm", "true"},
    {"model.tie_embeddings", "true"},
    {"model.document_attention", "true"},
    {"model.norm_epsilon", "1.0000001e-06"},
    {"model.rope_base", "500000"},
    {"model.init_std", "0.1"},
    {"model.init_depth_scale", "0.30000000000000004"},
    {"data.path", "/corpora/#1 \"odd\" name\\.h5 "},
    {"data.seq_len", "127"},
    {"data.micro_batch", "3"},
    {"data.leaf_micro_batches", "5"},
    {"data.global_batch", "45"},
    {"data.verify", "full"},
    {"parallel.sharding", "hybrid"},
    {"parallel.shard_group", "3"},
    {"parallel.backend", "region"},
    {"parallel.reshard_after_forward", "2"},
    {"parallel.prefetch_units", "2"},
    {"parallel.wrap", "blocks:2"},
    {"parallel.recompute", "every:2"},
    {"parallel.threads", "3"},
    {"parallel.helpers", "0"},
    {"parallel.timeout_s", "0.25"},
    {"precision.param", "fp16"},
    {"precision.residual", "bf16"},
    {"precision.loss_scaling", "dynamic"},
    {"precision.initial_scale", "1024"},
    {"precision.growth_interval", "9"},
    {"precision.hysteresis", "3"},
    {"optim.lr", "0.0012345678901234567"},
    {"optim.beta1", "0.8"},
    {"optim.beta2", "0.999"},
    {"optim.epsilon", "1e-10"},
    {"optim.weight_decay", "0"},
    {"optim.clip", "0.5"},
    {"optim.z_loss", "0.0001"},
    {"optim.freeze", "head,block.*.w[qk]"},
    {"schedule.kind", "wsd"},
    {"schedule.warmup", "0"},
    {"schedule.steps", "77"},
    {"schedule.min_lr", "1e-05"},
    {"schedule.decay_fraction", "0.1"},
    {"checkpoint.every", "25"},
    {"checkpoint.every_minutes", "2.5"},
    {"checkpoint.keep", "7"},
    {"checkpoint.keep_every", "1000"},
    {"checkpoint.give_up", "3"},
    {"checkpoint.numerics", "any"},
    {"checkpoint.resume", "runs/a b/checkpoints/step-25"},
    {"eval.every", "50"},
    {"log.every", "1"},
    {"log.profile", "5"},
    {"run.dir", "runs/first run"},
    {"run.steps", "4294967295"},
    {"run.stop_at", "33"},
    {"run.seed", "18446744073709551615"},
    {"monitor.every", "7"},
    {"monitor.tokens", "900"},
    {"monitor.rank", "33"},
    {"monitor.held_out_every", "70"},
    {"monitor.on_alert", "lower_lr"},
    {"monitor.calibration", "runs/risk of mine.json"},
    {"experimental.kss", "0.15"},
    {"experimental.qk_clip", "100"},
    {"run.gemm_table", "tables/odd one.txt"},
};
/// A value of a key that is not its default; "" for a key that knows one value so far.
std::string other_value(const Option& option) {
  std::vector<std::string> candidates{"3", "0.5", "2", "a/b c"};
  if (const auto odd = kOddValues.find(option.name); odd != kOddValues.end()) {
    candidates.insert(candidates.begin(), odd->second);
  }
  std::istringstream words{option.value_name};
  for (std::string word; std::getline(words, word, '|');) candidates.push_back(word);
  const auto before = option.get();
  for (const std::string& value : candidates) {
    if (value != before && option.set(value) && option.get() == value) return value;
  }
  return "";
}

/// For each key that has more than one value, one other than the default.
std::map<std::string, std::string> other_values() {
  train::Config config;
  std::map<std::string, std::string> values;
  for (const Option& option : train::key_options(config)) {
    if (option.takes.starts_with("only ")) continue;
    values[option.name] = other_value(option);
    EXPECT_NE(values[option.name], "") << option.name;
  }
  return values;
}

const Option& row(const std::vector<Option>& options, const std::string& name) {
  for (const auto& option : options) {
    if (option.name == name) return option;
  }
  throw std::runtime_error("no option " + name);
}

std::string message_of(const std::vector<Assignment>& given) {
  train::Config config;
  try {
    assign(given, train::key_options(config));
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::usage);
    return error.what();
  }
  return "accepted";
}

std::vector<std::optional<std::string>> values_of(train::Config config) {
  std::vector<std::optional<std::string>> values;
  for (const auto& option : train::key_options(config)) values.push_back(option.get());
  return values;
}

train::Config with_all_keys_set() {
  train::Config config;
  const auto options = train::key_options(config);
  for (const auto& [name, value] : other_values()) {
    EXPECT_TRUE(row(options, name).set(value)) << name;
  }
  return config;
}

TEST(Options, EveryKeyIsListedOnceAndSaysWhatItTakes) {
  train::Config config;
  std::set<std::string> names;
  for (const auto& option : train::key_options(config)) {
    EXPECT_TRUE(names.insert(option.name).second) << option.name << " twice";
    EXPECT_FALSE(option.help.empty()) << option.name;
    EXPECT_FALSE(option.takes.empty()) << option.name;
  }
  for (const auto& [name, value] : kOddValues) EXPECT_TRUE(names.contains(name)) << name;
}

TEST(Options, EveryKeyTakesAnotherValueAndReadsItBack) {
  train::Config config;
  const auto options = train::key_options(config);
  for (const auto& [name, value] : other_values()) {
    const Option& option = row(options, name);
    EXPECT_NE(option.get(), value) << name;
    ASSERT_TRUE(option.set(value)) << name;
    EXPECT_EQ(option.get(), value) << name;
  }
}

TEST(Options, KeysReachTheirOwnMembers) {
  const train::Config config = with_all_keys_set();
  EXPECT_EQ(config.model.dim, 96u);
  EXPECT_EQ(config.model.heads, 6u);
  EXPECT_EQ(config.model.kv_heads, 2u);
  EXPECT_EQ(config.model.norm, kernels::NormKind::layer);
  EXPECT_EQ(config.model.norm_placement, model::NormPlacement::post);
  EXPECT_TRUE(config.model.qk_norm);
  EXPECT_EQ(config.model.norm_epsilon, 1.0000001e-06f);
  EXPECT_EQ(config.data.micro_batch, 3u);
  EXPECT_EQ(config.data.leaf_micro_batches, 5u);
  EXPECT_EQ(config.parallel.sharding, fsdp::Sharding::hybrid);
  EXPECT_EQ(config.parallel.shard_group, 3u);
  EXPECT_EQ(config.parallel.backend, fsdp::Backend::region);
  EXPECT_EQ(config.parallel.reshard_after_forward.group(), 2u);
  EXPECT_EQ(config.parallel.prefetch_units, 2u);
  EXPECT_EQ(config.parallel.wrap, model::Wrap::blocks(2));
  EXPECT_EQ(config.parallel.recompute, model::RecomputePolicy::every(2));
  EXPECT_EQ(config.parallel.threads, 3u);
  EXPECT_EQ(config.parallel.helpers, 0u);
  EXPECT_EQ(config.precision.param, ElementType::fp16);
  EXPECT_EQ(config.precision.residual, ElementType::bf16);
  EXPECT_EQ(config.precision.loss_scaling, train::LossScaling::dynamic);
  EXPECT_EQ(config.precision.scaler.initial, 1024.0);
  EXPECT_EQ(config.precision.scaler.growth_interval, 9u);
  EXPECT_EQ(config.precision.scaler.hysteresis, 3u);
  EXPECT_EQ(config.optim.adamw.beta1, 0.8);
  EXPECT_EQ(config.optim.adamw.beta2, 0.999);
  EXPECT_EQ(config.schedule.kind, optim::ScheduleKind::wsd);
  EXPECT_EQ(config.schedule.warmup, 0u);
  EXPECT_EQ(config.checkpoint.every, 25u);
  EXPECT_EQ(config.eval_every, 50u);
  EXPECT_EQ(config.log_every, 1u);
  EXPECT_EQ(config.run.steps, 4294967295u);
  EXPECT_EQ(config.run.stop_at, 33u);
  EXPECT_EQ(config.run.seed, 18446744073709551615u);
}

TEST(Options, AllChoicesAreTaken) {
  train::Config config;
  const auto options = train::key_options(config);
  const std::map<std::string, std::vector<std::string>> choices{
      {"model.norm", {"rms", "layer"}},
      {"model.norm_placement", {"pre", "post", "output", "both", "none"}},
      {"model.position", {"rope", "alibi", "learned", "sinusoidal", "none"}},
      {"model.rope_scaling", {"none", "linear", "dynamic", "llama3", "yarn"}},
      {"model.activation",
       {"swiglu", "geglu", "geglu_tanh", "reglu", "silu", "gelu", "gelu_tanh", "relu", "relu2"}},
      {"model.qk_norm", {"true", "false"}},
      {"parallel.sharding", {"full", "grad_op", "hybrid", "none"}},
      {"parallel.backend", {"auto", "region", "mpi"}},
      {"precision.param", {"fp32", "bf16", "fp16"}},
      {"precision.reduce", {"fp32"}},
      {"precision.residual", {"fp32", "bf16"}},
      {"precision.loss_scaling", {"auto", "dynamic", "none"}},
      {"schedule.kind", {"cosine", "linear", "constant", "wsd"}}};
  for (const auto& [name, words] : choices) {
    for (const auto& word : words) {
      EXPECT_TRUE(row(options, name).set(word)) << name;
      EXPECT_EQ(row(options, name).get(), word) << name;
    }
    EXPECT_FALSE(row(options, name).set("")) << name;
    EXPECT_FALSE(row(options, name).set("RMS")) << name;
  }
}

TEST(Options, IniReadsBackToTheSameConfiguration) {
  const train::Config config = with_all_keys_set();
  train::Config again;
  assign(parse_ini(to_ini(config), "resolved"), train::key_options(again));
  EXPECT_EQ(values_of(again), values_of(config));
  EXPECT_EQ(again.model.init_depth_scale, config.model.init_depth_scale);
  EXPECT_EQ(again.optim.lr, config.optim.lr);
  EXPECT_EQ(again.data.path, config.data.path);
}

TEST(Options, IniLeavesUnsetKeysToTheirRule) {
  const std::string ini = to_ini(train::Config{});
  EXPECT_EQ(ini.find("warmup"), std::string::npos);
  EXPECT_EQ(ini.find("stop_at"), std::string::npos);
  EXPECT_EQ(ini.find("shard_group"), std::string::npos);
  EXPECT_NE(ini.find("[optim]\nlr = 0.0003\n"), std::string::npos) << ini;
  train::Config again;
  assign(parse_ini(ini, "resolved"), train::key_options(again));
  EXPECT_FALSE(again.schedule.warmup.has_value());
  EXPECT_FALSE(again.run.stop_at.has_value());
  EXPECT_EQ(values_of(again), values_of(train::Config{}));
}

TEST(Options, UnknownKeysAreNamedWithTheNearestOne) {
  EXPECT_EQ(message_of({{"optim.lrr", "1", ""}}),
            "unknown option --optim.lrr; did you mean --optim.lr?");
  EXPECT_EQ(message_of({{"model.kvheads", "1", "a.ini:7"}}),
            "a.ini:7: unknown key model.kvheads; did you mean model.kv_heads?");
  EXPECT_EQ(message_of({{"nothing.at.all.like.it", "1", ""}}),
            "unknown option --nothing.at.all.like.it; --help lists what there is");
}

TEST(Options, AbbreviationsAreUnknown) {
  EXPECT_NE(message_of({{"optim.weight", "1", ""}}).find("unknown option --optim.weight"),
            std::string::npos);
}

TEST(Options, WrongTypesAndValuesOutOfRangeSayWhatIsAllowed) {
  EXPECT_EQ(message_of({{"model.dim", "wide", ""}}),
            "--model.dim cannot be 'wide'; it takes a whole number, 1 to 1048576");
  EXPECT_EQ(message_of({{"model.dim", "0", "a.ini:2"}}),
            "a.ini:2: model.dim cannot be '0'; it takes a whole number, 1 to 1048576");
  EXPECT_EQ(message_of({{"optim.beta1", "1", ""}}),
            "--optim.beta1 cannot be '1'; it takes a number from 0 to below 1");
  EXPECT_EQ(message_of({{"model.norm", "batch", ""}}),
            "--model.norm cannot be 'batch'; it takes one of rms, layer");
  EXPECT_EQ(message_of({{"model.position", "relative", ""}}),
            "--model.position cannot be 'relative'; it takes one of rope, alibi, learned, "
            "sinusoidal, none");
  EXPECT_EQ(message_of({{"model.qk_norm", "1", ""}}),
            "--model.qk_norm cannot be '1'; it takes one of true, false");
}

TEST(Options, NumbersAreReadStrictly) {
  for (const char* text : {"", " ", "1x", "1 ", " 1", "-1", "+1", "1.5", "1e3", "0x10",
                           "18446744073709551616", "99999999999999999999999"}) {
    EXPECT_NE(message_of({{"run.seed", text, ""}}), "accepted") << "'" << text << "'";
  }
  for (const char* text : {"", "x", "1e", "1,5", "nan", "inf", "-inf", "1e999", "-1e-9", "0.1 "}) {
    EXPECT_NE(message_of({{"optim.lr", text, ""}}), "accepted") << "'" << text << "'";
  }
  for (const char* text : {"0", "1", "3e-4", "3E-4", ".5", "1e-300"}) {
    EXPECT_EQ(message_of({{"optim.lr", text, ""}}), "accepted") << "'" << text << "'";
  }
}

TEST(Options, RangesHoldAtTheirEdges) {
  const auto accepts = [](const char* name, const char* value) {
    return message_of({{name, value, ""}}) == "accepted";
  };
  EXPECT_TRUE(accepts("optim.beta2", "0"));
  EXPECT_FALSE(accepts("optim.epsilon", "0"));
  EXPECT_TRUE(accepts("optim.clip", "0"));
  EXPECT_FALSE(accepts("parallel.timeout_s", "0"));
  EXPECT_TRUE(accepts("parallel.threads", "auto"));
  EXPECT_TRUE(accepts("parallel.threads", "1024"));
  for (const char* bad : {"0", "1025", "-1", "Auto", "two", ""}) {
    EXPECT_FALSE(accepts("parallel.threads", bad)) << bad;
  }
  EXPECT_TRUE(accepts("parallel.helpers", "0"));
  EXPECT_FALSE(accepts("parallel.helpers", "1025"));
  EXPECT_TRUE(accepts("schedule.decay_fraction", "1"));
  EXPECT_FALSE(accepts("schedule.decay_fraction", "1.0000001"));
  EXPECT_TRUE(accepts("checkpoint.every", "0"));
  EXPECT_FALSE(accepts("checkpoint.keep", "0"));
  EXPECT_FALSE(accepts("run.steps", "4294967296"));
  EXPECT_FALSE(accepts("run.dir", ""));
  EXPECT_FALSE(accepts("run.dir", "two\nlines"));
}

TEST(Options, AKeyGivenTwiceIsRefused) {
  EXPECT_EQ(message_of({{"run.seed", "1", ""}, {"run.seed", "1", ""}}),
            "--run.seed is given twice; remove one");
  EXPECT_EQ(message_of({{"run.seed", "1", "a.ini:3"}, {"run.seed", "2", "a.ini:9"}}),
            "a.ini:9: run.seed is given twice, first at a.ini:3; remove one");
}

TEST(Options, ARefusedValueLeavesTheConfigurationAlone) {
  train::Config config;
  const auto options = train::key_options(config);
  EXPECT_FALSE(row(options, "optim.lr").set("-1"));
  EXPECT_FALSE(row(options, "model.norm").set("batch"));
  EXPECT_EQ(values_of(config), values_of(train::Config{}));
}

TEST(Options, RequiredOnesAreAskedFor) {
  train::Config config;
  try {
    require(train::key_options(config));
    FAIL() << "data.path was not asked for";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::usage);
    EXPECT_EQ(std::string{error.what()},
              "--data.path FILE is missing (dataset made by 'ballast prepare')");
  }
  config.data.path = "corpus.h5";
  config.run.dir = "runs/first";
  EXPECT_NO_THROW(require(train::key_options(config)));
}

TEST(Options, KeysOfAllKindsReadTheHomeFolder) {
  const char* const home = std::getenv("HOME");
  const std::string before = home == nullptr ? "" : home;
  ::setenv("HOME", "/homes/me", 1);
  train::Config config;
  const std::vector<Assignment> given{{"run.dir", "~/runs", "a.ini:1"},
                                      {"data.path", "~/a.h5", ""},
                                      {"checkpoint.resume", "~/runs/x", ""}};
  assign(given, train::key_options(config));
  EXPECT_EQ(config.run.dir, "/homes/me/runs");
  EXPECT_EQ(config.data.path, "/homes/me/a.h5");
  EXPECT_EQ(config.checkpoint.resume.path(), "/homes/me/runs/x");
  ::unsetenv("HOME");
  const std::string message = message_of(given);
  EXPECT_EQ(message.find("a.ini:1: run.dir: '~/runs' needs"), 0u) << message;
  if (home != nullptr) ::setenv("HOME", before.c_str(), 1);
}

TEST(Options, TextsWithAGrammarAreRefusedWhereTheyAreGiven) {
  EXPECT_EQ(message_of({{"parallel.wrap", "layer", "a.ini:3"}}),
            "a.ini:3: parallel.wrap cannot be 'layer'; it takes block, blocks:N, size:N or whole");
  EXPECT_EQ(message_of({{"parallel.reshard_after_forward", "1", ""}}),
            "--parallel.reshard_after_forward cannot be '1'; it takes true, false or a number of "
            "ranks above 1");
  EXPECT_NE(message_of({{"parallel.recompute", "every:0", ""}}).find("N from 1"),
            std::string::npos);
  EXPECT_EQ(message_of({{"checkpoint.resume", "", ""}}),
            "--checkpoint.resume cannot be ''; it takes a text in one line, not empty");
}

TEST(Agreement, EveryKeyIsComparedButThoseThatEachRankSettles) {
  const std::set<std::string> own{"data.path", "parallel.threads", "parallel.helpers"};
  train::Config given;
  const auto before = facts_of(train::key_options(given));
  for (const auto& [key, value] : other_values()) {
    train::Config other;
    const auto options = train::key_options(other);
    ASSERT_TRUE(std::ranges::find(options, key, &Option::name)->set(value)) << key;
    const std::string told = comm::differences(before, "rank 0", facts_of(options), "rank 1");
    if (own.contains(key)) {
      EXPECT_EQ(told, "");
    } else {
      EXPECT_EQ(told.find(key + ": rank 0 has "), 0u) << key << ": " << told;
      EXPECT_NE(told.find(", rank 1 has " + value), std::string::npos) << told;
    }
  }
}

}  // namespace
}  // namespace ballast::cli
