#include "train/offline/initial_profile.hpp"

#include <algorithm>
#include <optional>

#include "base/error.hpp"
#include "comm/agree.hpp"
#include "train/forward_on_text.hpp"
#include "train/plan/job.hpp"
#include "train/plan/memory_fit.hpp"
#include "train/plan/model_in_job.hpp"
#include "train/start/first_weights.hpp"
#include "train/watch/monitoring.hpp"

namespace ballast::train {

namespace {

std::size_t rounded_up_quotient(std::size_t a, std::size_t b) { return (a + b - 1) / b; }

data::Split text_to_show(const data::Dataset& dataset) {
  return dataset.info().validation_tokens > 1 ? data::Split::validation : data::Split::train;
}

/// The number of micro-batches: that of a step, or more if the probe needs more tokens, but no more
/// than the text has. A usage Error if the text is too short for the probe.
std::size_t micro_batches_to_show(const Config& config, const data::Dataset& dataset,
                                  data::Split text) {
  const auto& data = config.data;
  const std::size_t tokens = config.monitor.tokens;
  const std::size_t windows = dataset.windows(text, data.seq_len);
  const std::size_t of_window = data.seq_len - 1;  // the first is never sampled
  if (windows * of_window < tokens) {
    throw usage_error(
        "monitor.tokens = {}, but the {} text of '{}' has {} tokens to sample in {} windows of "
        "data.seq_len = {}: lower monitor.tokens, or prepare more text",
        tokens, text == data::Split::validation ? "held-out" : "training", dataset.path().string(),
        windows * of_window, windows, data.seq_len);
  }
  const std::size_t needed = rounded_up_quotient(tokens, data.micro_batch * of_window);
  return std::min(std::max(needed, data.global_batch / data.micro_batch),
                  rounded_up_quotient(windows, data.micro_batch));
}

/// The configuration of a profile: one step has all micro-batches of the profile, and the monitor
/// is on and probes once.
Config config_to_show(const Config& given, const data::Dataset& dataset, data::Split text) {
  Config config = given;
  config.data.global_batch = micro_batches_to_show(config, dataset, text) * config.data.micro_batch;
  config.data.leaf_micro_batches = 1;
  config.monitor.every = std::max<std::uint64_t>(1, config.monitor.every);
  config.monitor.held_out_every = 0;
  return config;
}

Identity identity_of(const Config& config, const data::Dataset& dataset) {
  Identity identity = make_identity(config, dataset.info());
  identity.erase("data.global_batch");
  if (!config.run.init.empty()) {  // its weights were not drawn here
    identity["run.init"] = config.run.init.string();
    return identity;
  }
  identity["model.init_std"] = fmt::format("{}", config.model.init_std);
  identity["model.init_depth_scale"] = fmt::format("{}", config.model.init_depth_scale);
  return identity;
}

}  // namespace

InitialProfile profile_at_start(comm::Communicator& world, const Config& given) {
  given.validate_plan();
  world.set_timeout_s(given.parallel.timeout_s);
  std::optional<data::Dataset> dataset;
  InitialProfile profile;
  Config config;
  comm::agree(world, "data.path", [&] {
    dataset.emplace(given.data.path);
    profile.text = text_to_show(*dataset);
    config = config_to_show(given, *dataset, profile.text);
  });
  const Job job = settle(world, config, *dataset);
  (void)require_memory(world, job);
  Team team{job.ranks.thread_plan};
  ModelInJob model{world, make_blueprint(job, nullptr, &team), job.ranks.rank};
  (void)take_first_weights(world, config.run, model);
  ForwardOnText passes{job, world, *dataset, model};
  Monitoring monitoring{job.config, job.monitor, world, model.gemm(), model.layout()};
  profile.model = identity_of(config, *dataset);
  profile.asked = config.monitor.tokens;
  profile.probe = monitoring.probe(profile.text, passes);
  return profile;
}

}  // namespace ballast::train
