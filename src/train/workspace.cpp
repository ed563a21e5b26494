#include "train/workspace.hpp"

#include "kernels/gemm_table.hpp"

namespace ballast::train {

Blueprint make_blueprint(const Config& config) {
  return {config.model,
          {config.data.micro_batch, config.data.seq_len},
          make_model_options(config),
          make_policy(config)};
}

Workspace::Workspace(const Blueprint& blueprint, const fsdp::Topology& topology, std::size_t rank)
    : policy_{blueprint.policy},
      mesh_{fsdp::make_mesh(policy_, topology.ranks())},
      transports_{fsdp::choose_transports(policy_, mesh_, topology)},
      gemm_{kernels::make_gemm(kernels::GemmTable::shipped())},
      model_{blueprint.model, blueprint.shape, blueprint.options, *gemm_, memory_.own},
      layout_{model_.table(), mesh_, rank},
      parameters_{layout_, policy_, transports_, memory_},
      optimizer_{layout_, policy_.compute, memory_.own} {}

checkpoint::ShardTensors Workspace::tensors() const {
  return {optimizer_.masters(parameters_), optimizer_.moment1(), optimizer_.moment2()};
}

}  // namespace ballast::train
