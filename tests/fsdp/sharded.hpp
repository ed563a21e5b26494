#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "fsdp/connection.hpp"
#include "fsdp/sharded_parameters.hpp"
#include "kernels/convert.hpp"
#include "kernels/gemm/gemm_factory.hpp"
#include "kernels/gemm/gemm_table.hpp"
#include "kernels/operations/cpu_operations.hpp"
#include "model/initialize.hpp"
#include "model/transformer.hpp"
#include "model/whole_parameters.hpp"
#include "reference/variants.hpp"
#include "support/production_model.hpp"
#include "support/world.hpp"

namespace ballast::fsdp {

inline constexpr std::size_t kSequences = 2;
inline constexpr std::size_t kSeqLen = 5;
inline constexpr std::uint64_t kSeed = 9;
inline constexpr std::size_t kMostLeaves = 12;  ///< of a step

inline reference::Batch leaf_batch(std::size_t leaf, std::size_t micro,
                                   std::size_t seq_len = kSeqLen) {
  return reference::random_batch(reference::uneven_shape().vocabulary, kSequences, seq_len,
                                 100 * leaf + micro);
}

/// Whether gradients may take what the backward leaves of the activations: in steps of one wave.
enum class Reusable { none, activations };

/// A model with sharded parameters on this rank.
class Sharded {
 public:
  explicit Sharded(const Policy& policy, model::Grouping grouping = {},
                   Reusable reusable = Reusable::none, std::size_t seq_len = kSeqLen,
                   const model::Freeze& freeze = model::Freeze::nothing())
      : Sharded{policy, discover_topology(test::world()), std::move(grouping), reusable, seq_len,
                freeze} {}

  /// The same on pretended hosts.
  Sharded(const Policy& policy, const Topology& topology, model::Grouping grouping = {},
          Reusable reusable = Reusable::none, std::size_t seq_len = kSeqLen,
          const model::Freeze& freeze = model::Freeze::nothing())
      : policy_{policy},
        seq_len_{seq_len},
        topology_{topology},
        mesh_{make_mesh(policy, topology_.ranks())},
        transports_{choose_transports(policy, mesh_, topology_)},
        gemm_{kernels::make_gemm(kernels::GemmTable::shipped())},
        operations_{*gemm_, policy.compute},
        transformer_{reference::uneven_shape(),
                     {kSequences, seq_len},
                     {.mode = model::Mode::training,
                      .precision = {policy.compute, ElementType::fp32},
                      .recompute = {},
                      .grouping = std::move(grouping),
                      .freeze = freeze},
                     operations_,
                     needs_.own},
        layout_{transformer_.table(), mesh_, static_cast<std::size_t>(test::world().rank())},
        parameters_{layout_, policy, transports_, needs_,
                    reusable == Reusable::none ? std::vector<Arena::Extent>{}
                                               : transformer_.idle_after_gradients()},
        connection_{test::world(), topology_, needs_, parameters_},
        program_{model::training_program(transformer_.table())} {
    write([&](const ShardSegment& segment, std::span<float> out) {
      model::initialize(layout_.table().parameters()[segment.parameter], segment.parameter, kSeed,
                        segment.granules, out);
    });
  }

  /// Writes new weights, segment by segment: fill(segment, out).
  template <class Fill>
  void write(Fill&& fill) {
    parameters_.begin_version();
    std::vector<float> values;
    for (const auto& segment : layout_.held_segments()) {
      values.resize(segment.granules.numel());
      fill(segment, std::span{values});
      const auto unit = layout_.table().parameters()[segment.parameter].unit;
      kernels::narrow(values, parameters_.held(unit).subspan(
                                  segment.local_offset - layout_.held_offset(unit), values.size()));
    }
    parameters_.publish_all();
  }

  /// Leaves in waves over the ranks, as the trainer runs them.
  void run(std::size_t leaves) {
    parameters_.begin_step();
    const auto ranks = layout_.ranks();
    for (std::size_t first = 0; first < leaves; first += ranks) {
      parameters_.begin_wave({std::min(ranks, leaves - first), first, leaves});
      for (std::size_t micro = 0; micro < policy_.leaf_micro_batches; ++micro) {
        parameters_.begin_micro_batch(micro, program_);
        const std::size_t leaf = first + layout_.rank();
        if (leaf < leaves) {
          const auto batch = leaf_batch(leaf, micro, seq_len_);
          transformer_.forward_backward(test::as_model_batch(batch), parameters_, 0.125f);
        } else {
          parameters_.walk(program_);
        }
      }
    }
    parameters_.finish_gradients();
  }

  [[nodiscard]] const Transports& transports() const { return transports_; }
  [[nodiscard]] const Needs& needs() const { return needs_; }
  [[nodiscard]] const ShardLayout& layout() const { return layout_; }
  [[nodiscard]] model::Transformer& transformer() { return transformer_; }
  [[nodiscard]] ShardedParameters& parameters() { return parameters_; }
  [[nodiscard]] const ShardedParameters& parameters() const { return parameters_; }
  [[nodiscard]] const model::StepProgram& program() const { return program_; }

 private:
  Policy policy_;
  std::size_t seq_len_;
  Topology topology_;
  Mesh mesh_;
  Transports transports_;
  Needs needs_;
  std::unique_ptr<kernels::Gemm> gemm_;
  kernels::CpuOperations operations_;
  model::Transformer transformer_;
  ShardLayout layout_;
  ShardedParameters parameters_;
  Connection connection_;
  model::StepProgram program_;
};

/// The modes that the ranks of this test can be in, with both backends on their host, and on
/// pretended hosts: those of pretended_hosts in turn.
struct NamedPolicy {
  std::string name;
  Policy policy;
  Topology topology;
};

/// Hosts of equal and of unequal size; two or more each.
inline std::vector<Topology> pretended_hosts(std::size_t ranks) {
  std::vector<Topology> all;
  if (ranks < 2) return all;
  all.push_back(Topology::on_hosts({ranks - ranks / 2, ranks / 2}));
  if (ranks >= 3) all.push_back(Topology::on_hosts({1, ranks - 1}));
  if (ranks >= 5) all.push_back(Topology::on_hosts({2, ranks - 4, 2}));
  return all;
}

inline std::vector<NamedPolicy> all_policies() {
  std::vector<NamedPolicy> all;
  const auto ranks = static_cast<std::size_t>(test::world().size());
  const auto on_hosts = pretended_hosts(ranks);
  const auto add = [&](const std::string& name, Policy policy) {
    policy.leaves = kMostLeaves;
    for (const Backend backend : {Backend::region, Backend::mpi}) {
      policy.backend = backend;
      all.push_back(
          {fmt::format("{} {}", name, name_of(backend)), policy, Topology::on_one_host(ranks)});
    }
    if (on_hosts.empty()) return;
    policy.backend = Backend::automatic;
    const Topology& topology = on_hosts[all.size() / 3 % on_hosts.size()];
    std::string hosts;
    for (const auto& host : topology.hosts()) hosts += fmt::format(" {}", host.count);
    all.push_back({fmt::format("{} on hosts of{} ranks", name, hosts), policy, topology});
  };
  add("full", {});
  add("full prefetch 1", {.prefetch_units = 1});
  add("full prefetch 5", {.prefetch_units = 5});
  add("full kept", {.reshard = Reshard::never()});
  add("grad_op", {.sharding = Sharding::grad_op});
  add("grad_op prefetch", {.sharding = Sharding::grad_op, .prefetch_units = 2});
  add("none", {.sharding = Sharding::none});
  for (std::size_t group = 1; group <= ranks; ++group) {
    if (ranks % group != 0) continue;
    add(fmt::format("hybrid {}", group), {.sharding = Sharding::hybrid, .shard_group = group});
    if (group > 1) {
      add(fmt::format("reshard {}", group), {.reshard = Reshard::within(group)});
      add(fmt::format("reshard {} prefetch", group),
          {.reshard = Reshard::within(group), .prefetch_units = 1});
    }
  }
  return all;
}

}  // namespace ballast::fsdp
