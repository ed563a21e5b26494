#include "train/plan/memory_plan.hpp"

#include <algorithm>
#include <gtest/gtest.h>

#include "train/plan/memory_fit.hpp"
#include "train/plan_config.hpp"
#include "train/watch/monitor_options.hpp"

namespace ballast::train {
namespace {

using fsdp::Backend;
using fsdp::Sharding;
using fsdp::Topology;
using test::job_on;
using test::model_on_bytes;
using test::uneven_config;

/// More than the counters of a few ranks take in their region.
constexpr std::uint64_t kBoardBytes = std::uint64_t{64} << 10;

/// Ranks 0 and 1 on the first host, 2 to 4 on the second.
Topology two_hosts() { return {{0, 0, 1, 1, 1}}; }

Config config_with(Sharding sharding, Backend backend, ElementType param) {
  Config config = uneven_config(6);
  config.parallel.sharding = sharding;
  config.parallel.backend = backend;
  config.precision.param = param;
  return config;
}

std::uint64_t planned(const MemoryPlan& plan, MemoryClass memory_class) {
  for (const auto& item : plan.host_items) {
    if (item.memory_class == memory_class) return item.bytes;
  }
  return 0;
}

std::uint64_t persistent(const MemoryPlan& plan) {
  return planned(plan, MemoryClass::parameters) + planned(plan, MemoryClass::gradients) +
         planned(plan, MemoryClass::optimizer);
}

/// What the ranks of one host reserve, found by building each one's workspace, and what monitors
/// take.
struct Reserved {
  std::uint64_t rooms = 0, own = 0, most = 0, weights = 0;
};

Reserved reserve_all(const Config& config, const Topology& topology, std::size_t host) {
  const Job job = job_on(config, topology);
  Reserved sum;
  for (std::size_t rank = 0; rank < topology.ranks(); ++rank) {
    if (topology.host_of[rank] != host) continue;
    const Workspace workspace{make_blueprint(job), rank};
    const std::uint64_t own = workspace.needs().own.planned_bytes() +
                              monitor_bytes(job.monitor.options, workspace.layout());
    sum.rooms += planned_bytes(workspace.needs(), fsdp::Holders::every_rank);
    sum.own += own;
    sum.most = std::max(sum.most, own);
    const bool is_first_here = rank == 0 || topology.host_of[rank - 1] != host;
    if (is_first_here || workspace.mesh().first_of_group(rank) == rank) {
      sum.weights += planned_bytes(workspace.needs(), fsdp::Holders::first_of_group);
    }
  }
  return sum;
}

void expect_planned(const Config& config, const Topology& topology, std::size_t rank) {
  const MemoryPlan plan = plan_memory(job_on(config, topology, rank));
  const Reserved reserved = reserve_all(config, topology, topology.host_of[rank]);
  EXPECT_EQ(plan.rank_bytes, reserved.most);
  std::uint64_t items = 0;
  for (const auto& item : plan.rank_items) items += item.bytes;
  EXPECT_EQ(items, plan.rank_bytes);
  EXPECT_EQ(plan.shared_bytes, reserved.rooms + reserved.weights);
  EXPECT_EQ(plan.host_bytes, reserved.own + reserved.rooms + reserved.weights);
}

TEST(MemoryPlan, IsWhatWorkspacesReserve) {
  for (const auto sharding : {Sharding::full, Sharding::grad_op, Sharding::none}) {
    for (const auto backend : {Backend::automatic, Backend::mpi}) {
      for (const auto param : {ElementType::fp32, ElementType::bf16, ElementType::fp16}) {
        const Config config = config_with(sharding, backend, param);
        for (const std::size_t ranks : {1u, 2u, 3u, 7u}) {
          expect_planned(config, Topology::on_one_host(ranks), ranks - 1);
        }
        expect_planned(config, two_hosts(), 0);
        expect_planned(config, two_hosts(), 3);
      }
    }
  }
}

TEST(MemoryPlan, HybridHasOneCopyOfTheWeightsForEachGroup) {
  Config config = config_with(Sharding::hybrid, Backend::automatic, ElementType::fp32);
  config.parallel.shard_group = 3;
  expect_planned(config, Topology::on_one_host(6), 4);
  expect_planned(config, {{0, 0, 0, 1, 1, 1}}, 5);
  expect_planned(config, {{0, 0, 1, 1, 2, 2}}, 1);  // groups over two hosts: by messages
  const auto plan = plan_memory(job_on(config, Topology::on_one_host(6)));
  config.parallel.sharding = Sharding::full;
  config.parallel.shard_group.reset();
  const auto full = plan_memory(job_on(config, Topology::on_one_host(6)));
  EXPECT_EQ(planned(plan, MemoryClass::parameters), 2 * planned(full, MemoryClass::parameters));
}

/// Bytes of gradients in rooms, by the numbers of the largest units.
TEST(MemoryPlan, GradientsShareRoomsWhereTheyCan) {
  for (const bool tied : {false, true}) {
    Config config = config_with(Sharding::full, Backend::automatic, ElementType::fp32);
    config.model.tie_embeddings = tied;
    const model::ParameterTable table{model_on_bytes(config)};
    const auto largest_of = [](std::span<const model::UnitInfo> units) {
      return std::ranges::max(units, {}, &model::UnitInfo::granules).granules;
    };
    constexpr std::uint64_t kGranuleBytes = kGranule * sizeof(float);
    const std::uint64_t end = largest_of(table.units().first(table.ends())) * kGranuleBytes;
    const std::uint64_t block = largest_of(table.units().subspan(table.ends())) * kGranuleBytes;
    const auto transient = [&](std::size_t ranks) {
      return planned(plan_memory(job_on(config, Topology::on_one_host(ranks))),
                     MemoryClass::transient);
    };
    EXPECT_EQ(transient(1), tied ? end + block : std::max(end, block));
    const std::uint64_t rooms = tied ? end + 2 * block : std::max(end, block) + block;
    EXPECT_GE(transient(3), 3 * rooms);
    EXPECT_LT(transient(3), 3 * rooms + kBoardBytes);
  }
}

TEST(MemoryPlan, GradientsOfOneLeafARankLieInItsActivations) {
  Config config = config_with(Sharding::full, Backend::region, ElementType::fp32);
  config.data.seq_len = 256;
  config.monitor.every = 0;
  const auto plan = [&](std::size_t leaves) {
    config.data.global_batch = leaves * config.data.leaf_sequences();
    return plan_memory(job_on(config, Topology::on_one_host(3)));
  };
  const std::uint64_t all =
      4 * model::ParameterTable{model_on_bytes(config)}.total_granules() * kGranule;
  EXPECT_EQ(planned(plan(3), MemoryClass::gradients), 0u);
  EXPECT_EQ(plan(3).gradients_in_activations, all);
  // A second leaf's forward comes before they are read.
  EXPECT_EQ(planned(plan(4), MemoryClass::gradients), all);
  EXPECT_EQ(plan(4).gradients_in_activations, 0u);
  EXPECT_EQ(plan(4).host_bytes - plan(3).host_bytes, all);
}

TEST(MemoryPlan, CountsTheMonitorOfEveryRank) {
  Config config = config_with(Sharding::full, Backend::automatic, ElementType::fp32);
  const auto watched = plan_memory(job_on(config, Topology::on_one_host(3)));
  config.monitor.every = 0;
  const auto unwatched = plan_memory(job_on(config, Topology::on_one_host(3)));
  EXPECT_GT(planned(watched, MemoryClass::monitor), 0u);
  EXPECT_EQ(watched.host_bytes - unwatched.host_bytes,
            planned(watched, MemoryClass::monitor) - planned(unwatched, MemoryClass::monitor));
}

/// Weights of the whole model as it lies in memory.
std::uint64_t padded_parameters(const Config& config) {
  return model::ParameterTable{model_on_bytes(config)}.total_granules() * kGranule;
}

TEST(MemoryPlan, PersistentBytesDoNotGrowWithTheRanks) {
  for (const auto backend : {Backend::region, Backend::mpi}) {
    const std::pair<ElementType, std::uint64_t> kinds[]{
        {ElementType::fp32, 16}, {ElementType::bf16, 16}, {ElementType::fp16, 18}};
    for (const auto& [param, bytes] : kinds) {
      const Config config = config_with(Sharding::full, backend, param);
      for (const std::size_t ranks : {1u, 4u, 7u}) {
        const auto plan = plan_memory(job_on(config, Topology::on_one_host(ranks)));
        const std::uint64_t expected = bytes * padded_parameters(config);
        EXPECT_EQ(persistent(plan), expected) << ranks << name_of(param);
      }
    }
  }
}

TEST(MemoryPlan, UnshardedPersistentBytesAreThoseOfEveryRank) {
  const Config config = config_with(Sharding::none, Backend::automatic, ElementType::fp32);
  const auto plan = plan_memory(job_on(config, Topology::on_one_host(3)));
  EXPECT_EQ(persistent(plan), 3 * 16 * padded_parameters(config));
}

TEST(MemoryPlan, RecomputationKeepsLess) {
  Config config = config_with(Sharding::full, Backend::automatic, ElementType::fp32);
  const auto all = plan_memory(job_on(config, Topology::on_one_host(2)));
  config.parallel.recompute = model::RecomputePolicy::full();
  const auto streams = plan_memory(job_on(config, Topology::on_one_host(2)));
  const auto& model = config.model;
  // Between blocks: the residual stream, and two statistics and the hidden states behind them.
  const std::uint64_t tokens = 2 * 48;
  EXPECT_EQ(planned(streams, MemoryClass::activations),
            tokens * 4 * ((model.layers + 2) * model.dim + 2));
  EXPECT_GT(planned(all, MemoryClass::activations), 2 * planned(streams, MemoryClass::activations));
}

TEST(MemoryPlan, ReceivingRoomIsNoLargerThanAUnit) {
  const Config config = config_with(Sharding::full, Backend::mpi, ElementType::fp32);
  const auto plan = plan_memory(job_on(config, Topology::on_one_host(32)));
  EXPECT_LT(planned(plan, MemoryClass::transient), 32u * 4 * 4 * padded_parameters(config));
}

TEST(MemoryPlan, AThousandRanksArePlanned) {
  Config config = config_with(Sharding::full, Backend::automatic, ElementType::bf16);
  config.model.layers = 48;
  config.data.seq_len = 2048;
  config.data.global_batch = 4096;
  const auto plan = plan_memory(job_on(config, Topology::on_one_host(1024)));
  EXPECT_EQ(plan.host_ranks, 1024u);
  EXPECT_EQ(persistent(plan), 16 * padded_parameters(config));
}

MachineLimits limits_of(std::uint64_t host, std::optional<std::uint64_t> data = {}) {
  MachineLimits limits{{host, "the host"}, {}};
  if (data) limits.process.data = {{*data, "ulimit -d"}, 0};
  return limits;
}

TEST(FindShortage, HoldsTheHostAndTheProcessToTheirLimits) {
  const auto plan = plan_memory(job_on(uneven_config(3), Topology::on_one_host(3)));
  const std::uint64_t host = plan.expected_host_bytes();
  EXPECT_EQ(host, plan.host_bytes + 3 * kProcessBytes);
  EXPECT_FALSE(find_shortage(plan, limits_of(host)));
  ASSERT_TRUE(find_shortage(plan, limits_of(host - 1)));
  EXPECT_EQ(find_shortage(plan, limits_of(host - 1))->needed, host);
  const std::uint64_t own = plan.rank_bytes + kProcessBytes;
  EXPECT_FALSE(find_shortage(plan, limits_of(host, own)));
  const auto shortage = find_shortage(plan, limits_of(host, own - 1));
  ASSERT_TRUE(shortage);
  EXPECT_EQ(shortage->whose, Shortage::Whose::process);
  EXPECT_EQ(shortage->limit.source, "ulimit -d");
  // Mapped memory counts what ranks share.
  auto mapped = limits_of(host);
  mapped.process.address_space = {{own + plan.shared_bytes - 1, "ulimit -v"}, 0};
  EXPECT_TRUE(find_shortage(plan, mapped));
  // Libraries that take more than is usual count as they are.
  auto crowded = limits_of(host, own);
  crowded.process.data->in_use = kProcessBytes;
  EXPECT_TRUE(find_shortage(plan, crowded));
}

/// Large enough that more ranks, or fewer layers kept, make a difference beside the programs.
Config large_config() {
  Config config = uneven_config(8);
  config.model.dim = 768;
  config.model.heads = 12;
  config.model.kv_heads = 12;
  config.model.ffn = 2048;
  config.model.layers = 12;
  config.data.seq_len = 256;
  config.data.micro_batch = 8;
  config.data.global_batch = 64;
  return config;
}

TEST(WaysToFit, NamesSettingsThatWouldAndNoOthers) {
  const Config config = large_config();
  const auto topology = Topology::on_one_host(4);
  const auto plan = plan_memory(job_on(config, topology));
  Config recomputed = config;
  recomputed.parallel.recompute = model::RecomputePolicy::full();
  const auto limits =
      limits_of(plan_memory(job_on(recomputed, topology)).expected_host_bytes() + 1);
  const auto ways = ways_to_fit(job_on(config, topology), limits);
  const auto names = [&](const std::string& start) {
    return std::ranges::any_of(ways, [&](const auto& way) { return way.starts_with(start); });
  };
  EXPECT_TRUE(names("parallel.recompute = full:"));
  EXPECT_TRUE(names("data.micro_batch = 1 and parallel.recompute = full:"));
  EXPECT_FALSE(names("precision.param"));
  const auto text = explain(*find_shortage(plan, limits), plan, ways);
  EXPECT_NE(text.find("the job's 4 rank(s) on this host needs"), std::string::npos) << text;
  EXPECT_NE(text.find("the host leaves"), std::string::npos) << text;
  EXPECT_NE(text.find("activations"), std::string::npos) << text;
  EXPECT_NE(text.find("\n  would fit: parallel.recompute = full"), std::string::npos) << text;
}

TEST(WaysToFit, FewerRanksHoldLessTogether) {
  const Config config = large_config();
  const auto two = plan_memory(job_on(config, Topology::on_one_host(2)));
  const auto limits = limits_of(two.expected_host_bytes());
  const auto ways = ways_to_fit(job_on(config, Topology::on_one_host(4)), limits);
  ASSERT_FALSE(ways.empty());
  EXPECT_TRUE(ways.back().starts_with("2 ranks on this host:")) << ways.back();
}

TEST(WaysToFit, MoreRanksHoldLessEach) {
  Config config = large_config();
  config.data.micro_batch = 1;
  const auto topology = Topology::on_one_host(1);
  const auto plan = plan_memory(job_on(config, topology));
  const auto limits = limits_of(UINT64_MAX / 2, plan.rank_bytes / 2);
  const auto ways = ways_to_fit(job_on(config, topology), limits);
  ASSERT_FALSE(ways.empty());
  EXPECT_NE(ways.back().find(" ranks on this host: up to"), std::string::npos) << ways.back();
}

TEST(WaysToFit, SayNothingWhereNothingHelps) {
  const auto topology = Topology::on_one_host(4);
  EXPECT_TRUE(ways_to_fit(job_on(large_config(), topology), limits_of(1000)).empty());
  const auto plan = plan_memory(job_on(large_config(), topology));
  const auto text = explain(*find_shortage(plan, limits_of(1000)), plan, {});
  EXPECT_NE(text.find("use a smaller model, or more hosts"), std::string::npos) << text;
}

TEST(MemoryPlan, OfGenerationIsWeightsInFp32AndWhatIsRemembered) {
  model::ModelConfig config = uneven_config(1).model;
  config.vocabulary = 259;
  constexpr std::size_t kContext = 7;
  const auto plan = plan_generation(config, kContext);
  const std::uint64_t weights = 4 * model::ParameterTable{config}.total_granules() * kGranule;
  EXPECT_EQ(planned(plan, MemoryClass::parameters), weights);
  EXPECT_EQ(plan.host_bytes, weights + 4 * 2 * config.layers * kContext * config.kv_dim());
  EXPECT_EQ(plan.expected_host_bytes(), plan.host_bytes + kProcessBytes);
  EXPECT_TRUE(find_shortage(plan, limits_of(plan.expected_host_bytes() - 1)));
  EXPECT_FALSE(find_shortage(plan, limits_of(plan.expected_host_bytes())));
}

}  // namespace
}  // namespace ballast::train
