#include "train/plan/workspace.hpp"

#include <algorithm>

#include "kernels/gemm/gemm_factory.hpp"
#include "kernels/gemm/gemm_profiled.hpp"
#include "kernels/operations/cpu_operations.hpp"
#include "train/plan/losses.hpp"

namespace ballast::train {

namespace {

std::unique_ptr<kernels::Gemm> make_gemm(const Blueprint& blueprint) {
  auto gemm = kernels::make_gemm(blueprint.gemm_table, blueprint.team);
  if (blueprint.profile == nullptr) return gemm;
  return std::make_unique<kernels::ProfiledGemm>(std::move(gemm), *blueprint.profile);
}

}  // namespace

Blueprint make_blueprint(const Job& job, Profile* profile, Team* team) {
  const Config& config = job.config;
  return {.model = job.model,
          .shape = {config.data.micro_batch, config.data.seq_len},
          .options = {.mode = model::Mode::training,
                      .precision = {config.precision.param, config.precision.residual},
                      .recompute = config.parallel.recompute,
                      .grouping = config.parallel.wrap.grouping(job.model),
                      .freeze = config.optim.freeze,
                      .profile = profile,
                      .workers = job.ranks.thread_plan.workers + job.ranks.thread_plan.helpers,
                      .loss = make_loss(config.optim)},
          .policy = job.policy,
          .mesh = job.mesh,
          .transports = job.transports,
          .gemm_table = job.gemm_table,
          .profile = profile,
          .team = team};
}

namespace {

Blueprint blueprint_of(const ReadOnlyModel& model, const Ranks& ranks, fsdp::Policy policy,
                       Profile* profile, Team* team) {
  policy.compute = model.precision.compute;
  policy.leaves = 1;
  const fsdp::Mesh mesh = fsdp::make_mesh(policy, ranks.topology.ranks());
  return {.model = model.model,
          .shape = model.shape,
          .options = {.mode = model::Mode::evaluation,
                      .precision = model.precision,
                      .freeze = model::Freeze::everything(),
                      .name = model.name,
                      .profile = profile,
                      .workers = ranks.thread_plan.workers + ranks.thread_plan.helpers},
          .policy = policy,
          .mesh = mesh,
          .transports = fsdp::choose_transports(policy, mesh, ranks.topology),
          .profile = profile,
          .team = team};
}

}  // namespace

Blueprint make_blueprint(const Job& job, const ReadOnlyModel& model, Profile* profile, Team* team) {
  Blueprint blueprint = blueprint_of(model, job.ranks, job.policy, profile, team);
  blueprint.gemm_table = job.gemm_table;
  return blueprint;
}

Blueprint make_blueprint(const ReadOnlyModel& model, const Ranks& ranks, Profile* profile,
                         Team* team) {
  const fsdp::Policy policy{.prefetch_units = fsdp::default_prefetch_units(ranks.topology)};
  return blueprint_of(model, ranks, policy, profile, team);
}

std::vector<Arena::Extent> reusable_by_gradients(const Blueprint& blueprint,
                                                 const model::Transformer& model) {
  if (blueprint.policy.leaves > blueprint.mesh.ranks()) return {};
  return model.idle_after_gradients();
}

Workspace::Workspace(const Blueprint& blueprint, std::size_t rank)
    : policy_{blueprint.policy},
      mesh_{blueprint.mesh},
      gemm_{make_gemm(blueprint)},
      operations_{
          kernels::make_operations(*gemm_, policy_.compute, blueprint.team, blueprint.profile)},
      model_{blueprint.model, blueprint.shape, blueprint.options, *operations_, needs_.own},
      layout_{model_.table(), mesh_, rank},
      parameters_{layout_,
                  policy_,
                  blueprint.transports,
                  needs_,
                  reusable_by_gradients(blueprint, model_),
                  blueprint.profile,
                  blueprint.team},
      optimizer_{layout_, policy_, needs_.own} {}

checkpoint::ShardTensors Workspace::tensors() const {
  return {optimizer_.masters(parameters_), optimizer_.moment1(), optimizer_.moment2()};
}

}  // namespace ballast::train
