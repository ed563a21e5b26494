#include "fsdp/sharded_parameters.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <vector>

#include "fsdp/sharded.hpp"
#include "kernels/elementwise.hpp"
#include "kernels/gemm/gemm_factory.hpp"
#include "kernels/gemm/gemm_table.hpp"
#include "kernels/operations/cpu_operations.hpp"
#include "model/wrap.hpp"

namespace ballast::fsdp {
namespace {

using model::WholeParameters;
using model::Wrap;
using test::world;

/// The gradient of each of `leaves` leaves, computed in one process, in canonical order.
std::vector<std::vector<float>> leaf_gradients(std::size_t leaves, const Policy& policy,
                                               std::size_t seq_len = kSeqLen) {
  Arena arena;
  const auto gemm = kernels::make_gemm(kernels::GemmTable::shipped());
  const kernels::CpuOperations operations{*gemm, policy.compute};
  model::Transformer transformer{reference::uneven_shape(),
                                 {kSequences, seq_len},
                                 {.mode = model::Mode::training,
                                  .precision = {policy.compute, ElementType::fp32},
                                  .recompute = {},
                                  .grouping = {},
                                  .freeze = model::Freeze::nothing()},
                                 operations,
                                 arena};
  WholeParameters parameters{transformer.table(), WholeParameters::Gradients::kept, policy.compute};
  arena.commit();
  parameters.initialize_all(kSeed);
  std::vector<std::vector<float>> gradients;
  for (std::size_t leaf = 0; leaf < leaves; ++leaf) {
    parameters.clear_gradients();
    for (std::size_t micro = 0; micro < policy.leaf_micro_batches; ++micro) {
      const auto batch = leaf_batch(leaf, micro, seq_len);
      transformer.forward_backward(test::as_model_batch(batch), parameters, 0.125f);
    }
    const auto gradient = parameters.all_gradients();
    gradients.emplace_back(gradient.begin(), gradient.end());
  }
  return gradients;
}

/// sum = sum + gradient, or `gradient` if there is no sum yet.
void add_to(std::vector<float>& sum, const std::vector<float>& gradient) {
  if (sum.empty()) {
    sum = gradient;
  } else {
    kernels::accumulate(gradient, sum);
  }
}

void round_to_bf16(std::vector<float>& values) {
  std::vector<std::uint16_t> narrow(values.size());
  const Elements rounded{reinterpret_cast<std::byte*>(narrow.data()), values.size(),
                         ElementType::bf16};
  kernels::narrow(values, rounded);
  kernels::widen(rounded, values);
}

/// What the policy's groups of leaves say, one addition after the other.
std::vector<float> sum_of(const std::vector<std::vector<float>>& gradients,
                          const LeafGroups& groups) {
  std::vector<float> total;
  for (std::size_t first = 0; first < gradients.size(); first += groups.size) {
    std::vector<float> group;
    const std::size_t end = std::min(first + groups.size, gradients.size());
    for (std::size_t leaf = first; leaf < end; ++leaf) add_to(group, gradients[leaf]);
    if (groups.rounds) round_to_bf16(group);
    add_to(total, group);
  }
  return total;
}

/// The gradient of a step of `leaves` leaves.
std::vector<float> whole_gradient(std::size_t leaves, const Policy& policy,
                                  std::size_t seq_len = kSeqLen) {
  return sum_of(leaf_gradients(leaves, policy, seq_len), policy.leaf_groups);
}

/// What of a whole gradient lies in a segment, padding included.
std::span<const float> part_of(const std::vector<float>& whole, const ShardLayout& layout,
                               const ShardSegment& segment) {
  const auto& parameter = layout.table().parameters()[segment.parameter];
  return std::span{whole}.subspan((parameter.first_granule + segment.granules.first) * kGranule,
                                  segment.granules.numel());
}

/// Elements of this rank's accumulated gradient that are not those of `whole`, over all ranks.
std::int64_t differences(const Sharded& sharded, const std::vector<float>& whole) {
  std::int64_t differing = 0;
  for (const auto& segment : sharded.layout().held_segments()) {
    if (!sharded.layout().trains(segment)) continue;
    const auto expected = part_of(whole, sharded.layout(), segment);
    const auto actual = sharded.parameters().accumulators().segment(segment);
    for (std::size_t i = 0; i < expected.size(); ++i) {
      // Two zeros of different sign are equal as numbers; their bits never reach a result.
      if (expected[i] != actual[i]) ++differing;
    }
  }
  return world().sum(differing, {"comparison"});
}

TEST(ShardedParameters, GatheredUnitsAreTheWholeModel) {
  for (const auto& [name, policy, topology] : all_policies()) {
    SCOPED_TRACE(name);
    Sharded sharded{policy, topology};
    WholeParameters whole{sharded.transformer().table(), WholeParameters::Gradients::none};
    whole.initialize_all(kSeed);
    for (model::UnitId unit = 0; unit < sharded.layout().table().units().size(); ++unit) {
      const model::ParameterLease lease{sharded.parameters(), unit};
      EXPECT_TRUE(std::ranges::equal(lease.values().floats(), whole.values(unit))) << unit;
    }
    world().barrier({"end of reading"});
  }
}

TEST(ShardedParameters, AChangeOfWeightsReachesTheNextGather) {
  for (const auto& [name, policy, topology] : all_policies()) {
    SCOPED_TRACE(name);
    Sharded sharded{policy, topology};
    { const model::ParameterLease before{sharded.parameters(), 3}; }
    world().barrier({"end of reading"});
    sharded.write([](const ShardSegment&, std::span<float> out) { std::ranges::fill(out, 3.0f); });
    for (const model::UnitId unit : {model::UnitId{3}, model::UnitId{0}}) {
      const model::ParameterLease after{sharded.parameters(), unit};
      EXPECT_TRUE(std::ranges::all_of(after.values().floats(), [](float w) { return w == 3.0f; }));
    }
    world().barrier({"end of reading"});
  }
}

TEST(ShardedParameters, GradientsHaveTheBitsOfALeftFoldInLeafOrder) {
  for (const auto& [name, policy, topology] : all_policies()) {
    SCOPED_TRACE(name);
    Sharded sharded{policy, topology};
    for (const std::size_t leaves : {1u, 5u, 12u}) {
      sharded.run(leaves);
      EXPECT_EQ(differences(sharded, whole_gradient(leaves, policy)), 0) << leaves;
    }
  }
}

TEST(ShardedParameters, LeavesAreAddedUpInTheirGroups) {
  const auto gradients = leaf_gradients(kMostLeaves, {});
  auto one_less = gradients;
  one_less.pop_back();
  for (auto [name, policy, topology] : all_policies()) {
    if (policy.prefetch_units > 0 || policy.reshard.group() > 0) continue;
    for (const LeafGroups& groups : {LeafGroups{2}, LeafGroups{5}, LeafGroups{4, true}}) {
      SCOPED_TRACE(fmt::format("{} groups of {} {}", name, groups.size, groups.rounds));
      policy.leaf_groups = groups;
      Sharded sharded{policy, topology};
      sharded.run(kMostLeaves);
      EXPECT_EQ(differences(sharded, sum_of(gradients, groups)), 0);
      sharded.run(kMostLeaves - 1);
      EXPECT_EQ(differences(sharded, sum_of(one_less, groups)), 0);
    }
  }
}

TEST(ShardedParameters, GradientsMayLieWhereActivationsWere) {
  // Activations of that many tokens are larger than what a rank holds of their block.
  constexpr std::size_t kLongSeqLen = 64;
  const auto config = reference::uneven_shape();
  const auto leaves = static_cast<std::size_t>(world().size());
  for (const Wrap& wrap : {Wrap::block(), Wrap::blocks(2), Wrap::whole()}) {
    for (const auto& [name, policy, topology] : all_policies()) {
      SCOPED_TRACE(fmt::format("{} {}", wrap.name(), name));
      const auto grouping = wrap.grouping(config);
      Sharded sharded{policy, topology, grouping, Reusable::activations, kLongSeqLen};
      // Messages reduce the head's gradient before any block is done with its activations.
      const ShardLayout& layout = sharded.layout();
      const std::size_t head =
          layout.held(layout.table().units_at(layout.table().head_depth()).front()).numel() *
          sizeof(float);
      const bool late = sharded.transports().gradients == Transport::region;
      EXPECT_EQ(sharded.needs().own.planned_bytes(MemoryClass::gradients),
                late || layout.table().ends() == 1 ? 0 : head);
      const auto whole = whole_gradient(leaves, policy, kLongSeqLen);
      for (int step = 0; step < 2; ++step) {
        sharded.run(leaves);
        EXPECT_EQ(differences(sharded, whole), 0) << step;
      }
    }
  }
}

TEST(ShardedParameters, NarrowTypesFoldInTheSameOrder) {
  for (const ElementType compute : {ElementType::bf16, ElementType::fp16}) {
    for (const Backend backend : {Backend::region, Backend::mpi}) {
      const Policy policy{.backend = backend, .compute = compute};
      Sharded sharded{policy};
      sharded.run(5);
      EXPECT_EQ(differences(sharded, whole_gradient(5, policy)), 0) << name_of(compute);
    }
  }
}

TEST(ShardedParameters, UnitsOfAnySizeGiveTheSameBits) {
  const auto config = reference::uneven_shape();
  for (const Wrap& wrap : {Wrap::blocks(2), Wrap::size(1), Wrap::whole()}) {
    for (const auto& [name, policy, topology] : all_policies()) {
      SCOPED_TRACE(fmt::format("{} {}", wrap.name(), name));
      Sharded sharded{policy, topology, wrap.grouping(config)};
      sharded.run(5);
      EXPECT_EQ(differences(sharded, whole_gradient(5, policy)), 0);
    }
  }
}

TEST(ShardedParameters, WhatIsFrozenLeavesTheGradientsOfTheRestAlone) {
  const auto config = reference::uneven_shape();
  struct Case {
    const char* frozen;
    Wrap wrap;
    std::size_t leaf_micro_batches;
  };
  const std::vector<Case> cases{{"embedding,block.0.*", Wrap::block(), 1},
                                {"*.wq,*.w_up,final_norm", Wrap::block(), 1},
                                {"head,block.*.w*", Wrap::blocks(2), 2},
                                {"embedding,*.wk", Wrap::whole(), 1}};
  for (const auto& [frozen, wrap, leaf_micro_batches] : cases) {
    for (auto [name, policy, topology] : all_policies()) {
      SCOPED_TRACE(fmt::format("{} {} {}", frozen, wrap.name(), name));
      policy.leaf_micro_batches = leaf_micro_batches;
      Sharded sharded{policy,         topology, wrap.grouping(config),
                      Reusable::none, kSeqLen,  model::Freeze::parse(frozen).value()};
      sharded.run(5);
      EXPECT_EQ(differences(sharded, whole_gradient(5, policy)), 0);
      EXPECT_EQ(sharded.needs().own.planned_bytes(MemoryClass::gradients),
                sharded.layout().trained_numel() * sizeof(float));
    }
  }
}

TEST(ShardedParameters, WhatIsFrozenAndKeptIsGatheredOnce) {
  const auto freeze = model::Freeze::parse("block.*,embedding").value();
  Sharded sharded{{.sharding = Sharding::grad_op, .backend = Backend::mpi},
                  model::Grouping{},
                  Reusable::none,
                  kSeqLen,
                  freeze};
  const auto& layout = sharded.layout();
  std::uint64_t trained = 0;  // bytes of other ranks' shards
  for (model::UnitId unit = 0; unit < layout.table().units().size(); ++unit) {
    if (!layout.trains(unit)) continue;
    trained += layout.table().unit(unit).padded_numel() - layout.held(unit).numel();
  }
  sharded.run(3);
  const std::uint64_t before = sharded.parameters().gathered_bytes();
  sharded.parameters().begin_version();
  sharded.parameters().publish_trained();
  sharded.run(3);
  EXPECT_EQ(sharded.parameters().gathered_bytes() - before, trained * sizeof(float));
}

TEST(ShardedParameters, AnotherOrderOfTheFoldShows) {
  for (const Backend backend : {Backend::region, Backend::mpi}) {
    const Policy policy{.backend = backend};
    Sharded sharded{policy};
    sharded.run(5);
    auto leaves = leaf_gradients(5, policy);
    std::swap(leaves[1], leaves[2]);
    EXPECT_GT(differences(sharded, sum_of(leaves, {})), 0);
  }
}

TEST(ShardedParameters, ALeafOfSeveralMicroBatchesIsReducedOnce) {
  for (auto [name, policy, topology] : all_policies()) {
    SCOPED_TRACE(name);
    policy.leaf_micro_batches = 3;
    Sharded sharded{policy, topology};
    sharded.run(4);
    EXPECT_EQ(differences(sharded, whole_gradient(4, policy)), 0);
  }
}

TEST(ShardedParameters, ANewStepForgetsTheLastOne) {
  for (const auto& [name, policy, topology] : all_policies()) {
    SCOPED_TRACE(name);
    Sharded sharded{policy, topology};
    sharded.run(7);
    sharded.run(3);
    EXPECT_EQ(differences(sharded, whole_gradient(3, policy)), 0);
  }
}

TEST(ShardedParameters, TheFirstGradientThatIsNotFiniteIsFound) {
  // An observer on the rank of leaf 1 that adds a NaN to the gradient that leaves block 1: the
  // gradients of block 1 and block 0 and the embedding's follow from it, block 1's come first.
  class Poison final : public model::BlockObserver {
   public:
    void before_blocks(std::span<const float>) override {}
    void after_block(std::size_t, std::span<const float>, const model::AttentionSignals&) override {
    }
    void add_gradient(std::size_t layer, std::span<float> gradient) override {
      if (layer == 1) gradient[0] = std::nanf("");
    }
  };
  const std::size_t poisoned = world().size() > 1 ? 1 : 0;
  auto policies = all_policies();
  for (auto [name, policy, topology] : all_policies()) {
    policy.leaf_groups.size = 2;
    policies.push_back({name + " in groups of 2", policy, topology});
  }
  for (const auto& [name, policy, topology] : policies) {
    SCOPED_TRACE(name);
    Sharded sharded{policy, topology};
    Poison poison;
    if (sharded.layout().rank() == poisoned) sharded.transformer().observe(&poison);
    sharded.run(static_cast<std::size_t>(world().size()));
    const auto& offender = sharded.parameters().offender();
    const auto found = world().sum(offender ? 1 : 0, {"comparison"});
    EXPECT_GT(found, 0);
    if (!offender) continue;
    EXPECT_EQ(offender->rank, poisoned);
    EXPECT_EQ(offender->leaf, poisoned);
    const auto& table = sharded.layout().table();
    EXPECT_LE(offender->unit, table.units_at(table.depth_of(1)).front());
    EXPECT_NE(offender->unit, table.units_at(table.head_depth()).front());
  }
}

}  // namespace
}  // namespace ballast::fsdp
