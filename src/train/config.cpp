#include "train/config.hpp"

#include <algorithm>
#include <cmath>

#include "base/error.hpp"

namespace ballast::train {

void Config::validate() const {
  model.validate();
  if (data.path.empty()) {
    throw usage_error("data.path is not set: name a dataset made by `ballast prepare`");
  }
  if (run.dir.empty()) throw usage_error("run.dir is not set: name a folder for this run");
  if (data.global_batch == 0 || data.global_batch % data.leaf_sequences() != 0) {
    throw usage_error(
        "data.global_batch = {} is not a multiple of data.micro_batch · data.leaf_micro_batches = "
        "{} · {}",
        data.global_batch, data.micro_batch, data.leaf_micro_batches);
  }
  if (optim.lr < schedule.min_lr) {
    throw usage_error("schedule.min_lr = {} is above optim.lr = {}", schedule.min_lr, optim.lr);
  }
  if (run.stop_at && *run.stop_at > run.steps) {
    throw usage_error("run.stop_at = {} lies beyond run.steps = {}", *run.stop_at, run.steps);
  }
}

optim::Schedule make_schedule(const Config& config) {
  const std::uint64_t steps = config.schedule.steps.value_or(config.run.steps);
  const auto default_warmup =
      static_cast<std::uint64_t>(std::llround(0.05 * static_cast<double>(steps)));
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
