#include "fsdp/sharded_parameters.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <memory>
#include <vector>

#include "kernels/elementwise.hpp"
#include "model/transformer.hpp"
#include "model/whole_parameters.hpp"
#include "reference/variants.hpp"
#include "support/production_model.hpp"
#include "support/world.hpp"

namespace ballast::fsdp {
namespace {

using model::Mode;
using model::Transformer;
using model::WholeParameters;
using test::as_model_batch;
using test::world;

constexpr std::size_t kSequences = 2;
constexpr std::size_t kSeqLen = 5;
constexpr std::uint64_t kSeed = 9;

reference::Batch leaf_batch(std::size_t leaf, std::size_t micro) {
  return reference::random_batch(reference::uneven_shape().vocabulary, kSequences, kSeqLen,
                                 100 * leaf + micro);
}

/// A model with sharded parameters on this rank.
struct Sharded {
  explicit Sharded(std::size_t micro_batches)
      : gemm{kernels::make_gemm(kernels::default_gemm_library())},
        transformer{reference::uneven_shape(), {kSequences, kSeqLen}, Mode::training, *gemm, arena},
        layout{transformer.table(), static_cast<std::size_t>(world().rank()),
               static_cast<std::size_t>(world().size())},
        parameters{layout, world(), Purpose::training, micro_batches, arena} {
    arena.commit();
    parameters.initialise(kSeed);
  }

  /// Leaves in waves over the ranks, as the trainer runs them.
  void run(std::size_t leaves, std::size_t micro_batches) {
    const auto ranks = layout.world_size();
    for (std::size_t first = 0; first < leaves; first += ranks) {
      parameters.begin_wave({std::min(ranks, leaves - first),
                             first == 0 ? kernels::Store::overwrite : kernels::Store::add});
      for (std::size_t micro = 0; micro < micro_batches; ++micro) {
        parameters.begin_micro_batch(micro);
        const std::size_t leaf = first + layout.rank();
        if (leaf < leaves) {
          const auto batch = leaf_batch(leaf, micro);
          transformer.forward_backward(as_model_batch(batch), parameters, 0.125f);
        } else {
          parameters.walk(model::training_program(reference::uneven_shape()));
        }
      }
    }
  }

  Arena arena;
  std::unique_ptr<kernels::Gemm> gemm;
  Transformer transformer;
  ShardLayout layout;
  ShardedParameters parameters;
};

/// The same leaves in one process, folded in the order given: gradients in canonical order.
std::vector<float> whole_gradient(const std::vector<std::size_t>& leaves,
                                  std::size_t micro_batches) {
  Arena arena;
  const auto gemm = kernels::make_gemm(kernels::default_gemm_library());
  Transformer transformer{
      reference::uneven_shape(), {kSequences, kSeqLen}, Mode::training, *gemm, arena};
  WholeParameters parameters{transformer.table(), WholeParameters::Gradients::kept};
  arena.commit();
  parameters.initialise_all(kSeed);
  std::vector<float> folded;
  for (const std::size_t leaf : leaves) {
    parameters.clear_gradients();
    for (std::size_t micro = 0; micro < micro_batches; ++micro) {
      const auto batch = leaf_batch(leaf, micro);
      transformer.forward_backward(as_model_batch(batch), parameters, 0.125f);
    }
    const auto gradient = parameters.all_gradients();
    if (folded.empty()) {
      folded.assign(gradient.begin(), gradient.end());
    } else {
      kernels::accumulate(gradient, folded);
    }
  }
  return folded;
}

/// This rank's shard of a whole gradient.
std::vector<float> shard_of(const Sharded& sharded, const std::vector<float>& whole) {
  std::vector<float> shard(sharded.layout.local_numel());
  for (const auto& segment : sharded.layout.segments()) {
    const auto& parameter = sharded.layout.table().parameters()[segment.parameter];
    const std::size_t from = (parameter.first_granule + segment.granules.first) * kGranule;
    std::copy_n(whole.begin() + static_cast<std::ptrdiff_t>(from), segment.granules.numel(),
                shard.begin() + static_cast<std::ptrdiff_t>(segment.local_offset));
  }
  return shard;
}

std::vector<std::size_t> in_order(std::size_t leaves) {
  std::vector<std::size_t> order(leaves);
  for (std::size_t i = 0; i < leaves; ++i) order[i] = i;
  return order;
}

std::int64_t differing_elements(const std::vector<float>& expected, std::span<const float> actual) {
  std::int64_t differing = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    // Two zeros of different sign are equal as numbers; their bits never reach a result.
    if (expected[i] != actual[i]) ++differing;
  }
  return world().sum(differing, {"comparison"});
}

TEST(ShardedParameters, GatheredUnitsAreTheWholeModel) {
  Sharded sharded{1};
  WholeParameters whole{sharded.transformer.table(), WholeParameters::Gradients::none};
  whole.initialise_all(kSeed);
  for (model::UnitId unit = 0; unit < sharded.layout.table().units().size(); ++unit) {
    const model::ParameterLease lease{sharded.parameters, unit};
    EXPECT_TRUE(std::ranges::equal(lease.values(), whole.values(unit))) << unit;
  }
}

TEST(ShardedParameters, AChangeOfWeightsReachesTheNextGather) {
  Sharded sharded{1};
  { const model::ParameterLease before{sharded.parameters, 2}; }
  std::ranges::fill(sharded.parameters.weights(), 3.0f);
  sharded.parameters.weights_changed();
  for (const model::UnitId unit : {model::UnitId{2}, model::kRootUnit}) {
    const model::ParameterLease after{sharded.parameters, unit};
    EXPECT_TRUE(std::ranges::all_of(after.values(), [](float w) { return w == 3.0f; }));
  }
}

TEST(ShardedParameters, GradientsHaveTheBitsOfALeftFoldInLeafOrder) {
  for (const std::size_t leaves : {1u, 2u, 5u, 12u}) {
    Sharded sharded{1};
    sharded.run(leaves, 1);
    const auto expected = shard_of(sharded, whole_gradient(in_order(leaves), 1));
    EXPECT_EQ(differing_elements(expected, sharded.parameters.accumulators()), 0) << leaves;
  }
}

TEST(ShardedParameters, AnotherOrderOfTheFoldShows) {
  Sharded sharded{1};
  sharded.run(5, 1);
  const auto reordered = shard_of(sharded, whole_gradient({0, 2, 1, 3, 4}, 1));
  EXPECT_GT(differing_elements(reordered, sharded.parameters.accumulators()), 0);
}

TEST(ShardedParameters, ALeafOfSeveralMicroBatchesIsReducedOnce) {
  Sharded sharded{3};
  sharded.run(4, 3);
  const auto expected = shard_of(sharded, whole_gradient(in_order(4), 3));
  EXPECT_EQ(differing_elements(expected, sharded.parameters.accumulators()), 0);
}

TEST(ShardedParameters, ANewStepForgetsTheLastOne) {
  Sharded sharded{1};
  sharded.run(7, 1);
  sharded.run(3, 1);
  const auto expected = shard_of(sharded, whole_gradient(in_order(3), 1));
  EXPECT_EQ(differing_elements(expected, sharded.parameters.accumulators()), 0);
}

TEST(ShardedParameters, TwoBlocksAtOnceAreRefused) {
  Sharded sharded{1};
  const model::ParameterLease first{sharded.parameters, 1};
  EXPECT_THROW((void)sharded.parameters.acquire(2), Error);
}

}  // namespace
}  // namespace ballast::fsdp
