#include "train/plan/job.hpp"

#include <set>
#include <string>
#include <utility>

#include "base/error.hpp"
#include "comm/agree.hpp"
#include "model/parameters.hpp"

namespace ballast::train {

namespace {

/// A usage Error for an optim.freeze that names no tensor, or leaves nothing to train.
void require_training(const Config& config, const model::ModelConfig& model) {
  if (config.optim.freeze == model::Freeze::nothing()) return;
  const model::ParameterTable table{model, {}, config.optim.freeze};
  if (table.trained_numel() > 0) return;
  throw usage_error("optim.freeze = {} leaves nothing to train: name fewer tensors",
                    config.optim.freeze.name());
}

}  // namespace

Job Job::with_gemm_table(kernels::GemmTable table) const {
  Job job = *this;
  job.gemm_table = std::move(table);
  return job;
}

Job Job::with_beside(std::vector<ReadOnlyModel> models) const {
  std::set<std::string> names{std::string{}};  // the one that trains has none
  for (const ReadOnlyModel& beside_it : models) {
    if (names.insert(beside_it.name).second) continue;
    throw internal_error("two models of a job have the name '{}'", beside_it.name);
  }
  Job job = *this;
  job.beside = std::move(models);
  return job;
}

Job make_job(const Config& config, std::size_t vocabulary, Ranks ranks,
             std::uint64_t held_out_every) {
  model::ModelConfig model = config.model;
  model.vocabulary = vocabulary_of(config.model, vocabulary);
  require_training(config, model);
  const fsdp::Policy policy = make_policy(config, ranks.topology);
  const fsdp::Mesh mesh = fsdp::make_mesh(policy, ranks.topology.ranks());
  const fsdp::Transports transports = fsdp::choose_transports(policy, mesh, ranks.topology);
  const optim::Schedule schedule = make_schedule(config);
  MonitorPlan monitor{monitor_options(config, model, schedule.warmup, mesh.ranks()),
                      held_out_every};
  return {.config = config,
          .model = std::move(model),
          .ranks = std::move(ranks),
          .policy = policy,
          .mesh = mesh,
          .transports = transports,
          .schedule = schedule,
          .monitor = std::move(monitor),
          .gemm_table = config.gemm_table};
}

Job settle(comm::Communicator& world, const Config& config, const data::Dataset& dataset) {
  const Ranks ranks = settle_ranks(world, config.parallel);
  return comm::agree_on<Job>(world, "configuration", [&] {
    return make_job(config, dataset.info().vocabulary, ranks, settle_held_out(config, dataset));
  });
}

}  // namespace ballast::train
