#include <gtest/gtest.h>

#include "fsdp/fetch_plan.hpp"
#include "fsdp/sharded.hpp"

// Equal bits alone would pass a mode that does nothing: here each mode moves the bytes that its
// formula says.
namespace ballast::fsdp {
namespace {

using test::world;

constexpr std::size_t kLeaves = 7;

/// The work of a step, as formulas see it.
struct Course {
  std::size_t waves;
  std::size_t blocks;  ///< units besides the ends
  std::size_t rooms;   ///< that these units take in turn
};

Course course_of(const Sharded& sharded, const Policy& policy) {
  const std::size_t ranks = sharded.layout().ranks();
  const auto& table = sharded.layout().table();
  const std::size_t blocks = table.units().size() - table.ends();
  return {(kLeaves + ranks - 1) / ranks, blocks, std::min(blocks, 1 + policy.prefetch_units)};
}

/// Gathers of blocks in a step: each wave goes up and down, and at each turn what is in the rooms
/// serves again.
std::size_t block_gathers(const Course& course) {
  const std::size_t passes = 2 * course.waves;
  return passes * course.blocks - course.rooms * (passes - 1);
}

/// The runs of ranks that share what they gather: those of a host, or each rank by itself.
Neighborhoods runs_of(const Sharded& sharded) {
  return sharded.transports().weights == Transport::hosts ? sharded.transports().topology.hosts()
                                                          : each_alone(sharded.layout().ranks());
}

/// How many whole units a gather brings in over all groups: of every run in a group but one.
std::size_t units_from_all(const Sharded& sharded) {
  const Mesh& mesh = sharded.layout().mesh();
  std::size_t units = 0;
  for (std::size_t first = 0; first < mesh.ranks(); first += mesh.shards) {
    units += within(runs_of(sharded), {first, mesh.shards}).size() - 1;
  }
  return units;
}

/// The same for a gather from kept copies: groups of whole runs keep one each.
std::size_t units_from_kept(const Sharded& sharded, std::size_t group) {
  std::size_t units = 0;
  for (const comm::RankRange& run : runs_of(sharded)) units += run.end() % group == 0 ? 0u : 1u;
  return units;
}

/// What the ranks together gather in a step.
double expected_gathered(const Sharded& sharded, const Policy& policy) {
  const Transport weights = sharded.transports().weights;
  if (weights != Transport::messages && weights != Transport::hosts) return 0.0;
  const auto& table = sharded.layout().table();
  const auto bytes = [&](model::UnitId unit) {
    return static_cast<double>(table.unit(unit).padded_numel() * sizeof(float));
  };
  const Course course = course_of(sharded, policy);
  const bool keeps = policy.sharding == Sharding::grad_op || policy.reshard.keeps_all();
  const std::size_t gathers = keeps ? course.blocks : block_gathers(course);
  const std::size_t group = policy.reshard.group();
  const std::size_t from_all = group == 0 ? gathers : course.blocks;
  const model::UnitId block = table.ends();
  double units = static_cast<double>(from_all * units_from_all(sharded));
  if (group != 0) {
    units += static_cast<double>((gathers - from_all) * units_from_kept(sharded, group));
  }
  double total = units * bytes(block);
  for (model::UnitId end = 0; end < block; ++end) {
    total += bytes(end) * static_cast<double>(units_from_all(sharded));
  }
  return total;
}

/// What the ranks together read of each other's gradients in a step: of every leaf all but the part
/// of its own rank, and the parts of a shard from the replicas once.
double expected_reduced(const Sharded& sharded) {
  const ShardLayout& layout = sharded.layout();
  const double bytes =
      static_cast<double>(layout.table().total_granules() * kGranule * sizeof(float));
  const auto ranks = static_cast<double>(layout.ranks());
  const auto replicas = static_cast<double>(layout.mesh().replicas);
  const auto shards = static_cast<double>(layout.mesh().shards);
  return static_cast<double>(kLeaves) * bytes * (ranks - 1.0) / ranks +
         ranks * bytes / shards * (replicas - 1.0) / replicas;
}

TEST(Traffic, EachModeMovesWhatItsFormulaSays) {
  for (const auto& [name, policy, topology] : all_policies()) {
    SCOPED_TRACE(name);
    Sharded sharded{policy, topology};
    sharded.run(kLeaves);  // the first step also brings what was never there
    world().barrier({"end of reading"});
    sharded.write([](const ShardSegment&, std::span<float> out) { std::ranges::fill(out, 0.01f); });
    const auto before =
        std::pair{sharded.parameters().gathered_bytes(), sharded.parameters().reduced_bytes()};
    sharded.run(kLeaves);
    const auto total = [&](std::uint64_t after, std::uint64_t start) {
      return static_cast<double>(
          world().sum(static_cast<std::int64_t>(after - start), {"comparison"}));
    };
    const double gathered = total(sharded.parameters().gathered_bytes(), before.first);
    const double reduced = total(sharded.parameters().reduced_bytes(), before.second);
    const double expected = expected_gathered(sharded, policy);
    EXPECT_NEAR(gathered, expected, 0.02 * expected);
    EXPECT_NEAR(reduced, expected_reduced(sharded), 0.02 * expected_reduced(sharded));
  }
}

TEST(Traffic, TheModesDifferWhereTheyShould) {
  if (world().size() < 2) GTEST_SKIP() << "needs two ranks";
  const auto gathered = [](const Policy& policy) {
    Sharded sharded{policy};
    sharded.run(kLeaves);
    return sharded.parameters().gathered_bytes();
  };
  const Policy full{.backend = Backend::mpi};
  const Policy grad_op{.sharding = Sharding::grad_op, .backend = Backend::mpi};
  EXPECT_LT(gathered(grad_op), gathered(full));
  EXPECT_LT(gathered({.backend = Backend::mpi, .prefetch_units = 1}), gathered(full));
  EXPECT_EQ(gathered({.backend = Backend::region}), 0u);
  EXPECT_EQ(gathered({.sharding = Sharding::none, .backend = Backend::mpi}), 0u);
}

}  // namespace
}  // namespace ballast::fsdp
