#include "train/plan/workspace.hpp"

#include <algorithm>

#include "kernels/gemm/gemm_factory.hpp"
#include "kernels/gemm/gemm_profiled.hpp"
#include "kernels/operations/cpu_operations.hpp"

namespace ballast::train {

namespace {

std::unique_ptr<kernels::Gemm> make_gemm(const Blueprint& blueprint) {
  auto gemm = kernels::make_gemm(blueprint.gemm_table, blueprint.team);
  if (blueprint.profile == nullptr) return gemm;
  return std::make_unique<kernels::ProfiledGemm>(std::move(gemm), *blueprint.profile);
}

}  // namespace

Blueprint make_blueprint(const Config& config, Profile* profile, Team* team) {
  model::TransformerOptions options = make_model_options(config);
  options.profile = profile;
  options.workers = std::max(options.workers, workers_of(team));
  return {config.model,
          {config.data.micro_batch, config.data.seq_len},
          std::move(options),
          make_policy(config),
          config.data.leaves(),
          config.gemm_table,
          profile,
          team};
}

std::vector<Arena::Extent> loans_to_gradients(const Blueprint& blueprint,
                                              const model::Transformer& model, std::size_t ranks) {
  if (blueprint.leaves > ranks) return {};
  return model.idle_after_gradients();
}

Workspace::Workspace(const Blueprint& blueprint, const fsdp::Topology& topology, std::size_t rank)
    : policy_{blueprint.policy},
      mesh_{fsdp::make_mesh(policy_, topology.ranks())},
      transports_{fsdp::choose_transports(policy_, mesh_, topology)},
      gemm_{make_gemm(blueprint)},
      operations_{
          kernels::make_operations(*gemm_, policy_.compute, blueprint.team, blueprint.profile)},
      model_{blueprint.model, blueprint.shape, blueprint.options, *operations_, memory_.own},
      layout_{model_.table(), mesh_, rank},
      parameters_{layout_,
                  policy_,
                  transports_,
                  memory_,
                  loans_to_gradients(blueprint, model_, topology.ranks()),
                  blueprint.profile,
                  blueprint.team},
      optimizer_{layout_, policy_, memory_.own} {}

checkpoint::ShardTensors Workspace::tensors() const {
  return {optimizer_.masters(parameters_), optimizer_.moment1(), optimizer_.moment2()};
}

}  // namespace ballast::train
