#include "train/plan/job.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "support/world.hpp"
#include "train/plan_config.hpp"
#include "train/settings/keys.hpp"
#include "train/small_dataset.hpp"

namespace ballast::train {
namespace {

using fsdp::Topology;
using test::job_on;
using test::uneven_config;
using test::world;

std::vector<std::optional<std::string>> texts_of(Config config) {
  std::vector<std::optional<std::string>> texts;
  for (const Option& option : key_options(config)) texts.push_back(option.get());
  return texts;
}

TEST(Job, SettlesWhatFollowsAndLeavesWhatWasAskedFor) {
  const SmallDataset data;
  const auto ranks = static_cast<std::size_t>(world().size());
  const Config config = uneven_config(ranks);
  const Job job = settle(world(), config, data.dataset());
  EXPECT_EQ(texts_of(job.config), texts_of(config));
  EXPECT_FALSE(job.config.parallel.threads.has_value());
  EXPECT_FALSE(job.config.monitor.held_out_every.has_value());
  EXPECT_EQ(job.config.model.vocabulary, 0u);

  EXPECT_EQ(job.model.vocabulary, data.dataset().info().vocabulary);
  EXPECT_EQ(job.model.dim, config.model.dim);
  EXPECT_EQ(job.ranks.topology.ranks(), ranks);
  EXPECT_EQ(job.ranks.rank, static_cast<std::size_t>(world().rank()));
  EXPECT_GE(job.ranks.thread_plan.workers, 1u);
  EXPECT_FALSE(job.ranks.note.empty());
  EXPECT_EQ(job.mesh.shards, ranks);
  EXPECT_EQ(job.schedule.steps, config.run.steps);
  EXPECT_EQ(job.monitor.held_out_every, 0u) << "no text is held out";
  EXPECT_EQ(job.monitor.options.warmup, job.schedule.warmup);
}

TEST(Job, KeepsWhatIsGiven) {
  const SmallDataset data;
  Config config = uneven_config(static_cast<std::size_t>(world().size()));
  config.parallel.threads = 1;
  config.parallel.helpers = 3;
  config.monitor.held_out_every = 0;
  config.schedule.warmup = 7;
  const Job job = settle(world(), config, data.dataset());
  EXPECT_EQ(job.ranks.thread_plan.workers, 1u);
  EXPECT_EQ(job.ranks.thread_plan.helpers, 3u);
  EXPECT_EQ(job.monitor.held_out_every, 0u);
  EXPECT_EQ(job.monitor.options.warmup, 7u);
}

TEST(Job, UnitsAreGatheredAheadWhereTheyTravel) {
  Config config = uneven_config(4);
  EXPECT_EQ(job_on(config, Topology::on_one_host(4)).policy.prefetch_units, 0u);
  EXPECT_EQ(job_on(config, Topology::on_hosts({2, 2})).policy.prefetch_units, 1u);
  config.parallel.prefetch_units = 0;
  EXPECT_EQ(job_on(config, Topology::on_hosts({2, 2})).policy.prefetch_units, 0u);
}

TEST(Job, KeysThatDoNotFitTheRanksAreNamed) {
  Config config = uneven_config(3);
  config.parallel.sharding = fsdp::Sharding::hybrid;
  config.parallel.shard_group = 2;
  try {
    (void)job_on(config, Topology::on_one_host(3));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::usage);
    EXPECT_NE(std::string{error.what()}.find("parallel.shard_group = 2 does not divide"),
              std::string::npos);
  }
}

TEST(Job, GoesOnWithTheProductsOfItsCheckpoint) {
  const Job job = job_on(uneven_config(1), Topology::on_one_host(1));
  const auto table = kernels::GemmTable::parse_rules("* ** * * * openblas\n", "test");
  EXPECT_NE(table.rules_text(), job.gemm_table.rules_text());
  const Job resumed = job.with_gemm_table(table);
  EXPECT_EQ(resumed.gemm_table.rules_text(), table.rules_text());
  EXPECT_EQ(resumed.ranks.topology.host_of, job.ranks.topology.host_of);
}

}  // namespace
}  // namespace ballast::train
