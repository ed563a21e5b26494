#include "train/workspace.hpp"

#include "base/narrow.hpp"

namespace ballast::train {

namespace {

/// The rank, counted on this host, in whose part of the region this rank's weights are.
std::size_t first_of_group(const comm::Communicator& world, const comm::Communicator& node,
                           const Workspace& workspace) {
  const auto local = narrow<std::size_t>(node.rank());
  if (workspace.transports().weights != fsdp::Transport::region) return local;
  const auto rank = narrow<std::size_t>(world.rank());
  return local - (rank - workspace.mesh().first_of_group(rank));
}

}  // namespace

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
      gemm_{kernels::make_gemm(kernels::default_gemm_library())},
      model_{blueprint.model, blueprint.shape, blueprint.options, *gemm_, memory_.own},
      layout_{model_.table(), mesh_, rank},
      parameters_{layout_, policy_, transports_, memory_},
      optimizer_{layout_, policy_.compute, memory_.own} {}

checkpoint::ShardTensors Workspace::tensors() const {
  return {optimizer_.masters(parameters_), optimizer_.moment1(), optimizer_.moment2()};
}

Connection::Connection(comm::Communicator& world, Workspace& workspace)
    : groups_{world, workspace.policy(), workspace.mesh(), workspace.transports()} {
  fsdp::Memory& memory = workspace.memory();
  memory.own.commit();
  if (groups_.has_node()) {
    auto& node = groups_.node();
    region_.emplace(node, memory.region_sizes(first_of_group(world, node, workspace)));
    memory.rooms.commit(region_->own_rooms());
    memory.weights.commit(region_->weights());
  }
  workspace.parameters().connect(groups_, region_ ? &*region_ : nullptr);
}

}  // namespace ballast::train
