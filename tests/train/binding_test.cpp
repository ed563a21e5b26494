#include "train/plan/binding.hpp"

#include <fmt/format.h>
#include <fstream>
#include <gtest/gtest.h>

#include "support/temporary_folder.hpp"
#include "support/world.hpp"

namespace ballast::train {
namespace {

using fsdp::Topology;
using test::world;

/// Processors of so many cores from the `first` on, two on each where these have siblings: i and
/// i + 100 are on core i.
Processors cores(std::size_t first, std::size_t count, bool siblings = false) {
  Processors processors;
  for (std::size_t i = first; i < first + count; ++i) processors.push_back({i, i});
  if (!siblings) return processors;
  for (std::size_t i = first; i < first + count; ++i) processors.push_back({i + 100, i});
  return processors;
}

using All = std::vector<Processors>;

/// As configured: nothing is auto.
ParallelConfig given(std::optional<std::size_t> threads, std::optional<std::size_t> helpers = {}) {
  ParallelConfig config;
  config.threads = threads;
  config.helpers = helpers;
  return config;
}

TEST(AutomaticThreads, AreTheCoresThatARankHasForItself) {
  const auto on_one_host = [](const All& processors_of) {
    return automatic_threads(Topology::on_one_host(processors_of.size()), processors_of);
  };
  EXPECT_EQ(on_one_host({cores(0, 16)}), 16u);
  EXPECT_EQ(on_one_host({cores(0, 16, true)}), 16u) << "siblings count once";
  EXPECT_EQ(on_one_host(All(2, cores(0, 16))), 8u);
  EXPECT_EQ(on_one_host(All(3, cores(0, 16))), 5u);
  EXPECT_EQ(on_one_host(All(3, cores(0, 3))), 1u) << "three thirds";
  EXPECT_EQ(on_one_host(All(5, cores(0, 3))), 1u) << "never none";
  EXPECT_EQ(on_one_host({cores(0, 1), cores(1, 1)}), 1u) << "bound to a core each";
  EXPECT_EQ(on_one_host({cores(0, 8), cores(8, 8)}), 8u) << "bound to a socket each";
  EXPECT_EQ(on_one_host({cores(0, 8), cores(0, 8), cores(8, 8), cores(8, 8)}), 4u);
  EXPECT_EQ(on_one_host({cores(0, 1), cores(0, 16)}), 1u) << "the same for all";
  EXPECT_EQ(on_one_host({{}, {}}), 1u) << "nothing is known";
}

TEST(AutomaticThreads, AreThoseOfTheFullestHost) {
  EXPECT_EQ(automatic_threads(Topology{{0, 0, 1}}, {cores(0, 8), cores(0, 8), cores(0, 8)}), 4u);
  EXPECT_EQ(automatic_threads(Topology{{0, 1}}, {cores(0, 8), cores(0, 6)}), 6u);
}

TEST(ProcessorsOfThreads, AreOnCoresOfTheirOwn) {
  using Numbers = std::vector<std::size_t>;
  const All shared(2, cores(0, 4, true));
  const auto one_host = Topology::on_one_host(2);
  EXPECT_EQ(processors_of_threads(one_host, shared, 0, 2), (Numbers{0, 1}));
  EXPECT_EQ(processors_of_threads(one_host, shared, 1, 2), (Numbers{2, 3}));
  EXPECT_EQ(processors_of_threads(one_host, shared, 1, 3), Numbers{}) << "one core is left";
  EXPECT_EQ(processors_of_threads(one_host, {cores(0, 2), cores(4, 3)}, 1, 3), (Numbers{4, 5, 6}));
  EXPECT_EQ(processors_of_threads(Topology{{0, 1}}, shared, 1, 4), (Numbers{0, 1, 2, 3}));
  EXPECT_EQ(processors_of_threads(one_host, {{}, {}}, 1, 1), Numbers{});
}

TEST(AutomaticHelpers, AreForProcessorsThatWaitingRanksLeaveIdle) {
  const auto on_one_host = [](const All& processors_of, std::size_t threads = 1) {
    return automatic_helpers(Topology::on_one_host(processors_of.size()), processors_of, threads);
  };
  EXPECT_EQ(on_one_host({cores(0, 1)}), 0u) << "nobody waits";
  EXPECT_EQ(on_one_host({cores(0, 1), cores(1, 1)}), 1u) << "one waits for one";
  EXPECT_EQ(on_one_host({cores(0, 1), cores(1, 1), cores(2, 1)}), 2u);
  EXPECT_EQ(on_one_host(All(16, cores(0, 16))), 2u);
  EXPECT_EQ(on_one_host(All(3, cores(0, 2))), 0u) << "no processor is idle";
  EXPECT_EQ(on_one_host(All(2, cores(0, 16)), 8), 0u) << "threads even it out";
  EXPECT_EQ(on_one_host({{}, {}}), 0u) << "nothing is known";
  EXPECT_EQ(automatic_helpers(Topology{{0, 1}}, {cores(0, 1), cores(0, 1)}, 1), 0u);
  EXPECT_EQ(automatic_helpers(Topology{{0, 1, 1}}, {cores(0, 1), cores(0, 1), cores(1, 1)}, 1), 1u);
}

TEST(ThreadPlanOf, HelpersGoWhereAnyRankOfTheHostMay) {
  using Numbers = std::vector<std::size_t>;
  const Topology hosts{{0, 0, 1}};
  const All processors_of{cores(0, 1), cores(1, 1), cores(4, 2)};
  const ThreadCounts counts = count_threads(ParallelConfig{}, hosts, processors_of);
  const ThreadPlan thread_plan = thread_plan_of(counts, hosts, processors_of, 1);
  EXPECT_EQ(thread_plan.workers, 1u);
  EXPECT_EQ(thread_plan.processors, (Numbers{1}));
  EXPECT_EQ(thread_plan.helpers, 1u);
  EXPECT_EQ(thread_plan.helper_processors, (Numbers{0, 1}));
  EXPECT_EQ(thread_plan_of(counts, hosts, processors_of, 2).helper_processors, (Numbers{4, 5}));
}

TEST(ThreadPlanOf, WhatIsGivenIsKept) {
  const All processors_of(2, cores(0, 2));
  const auto counts = count_threads(given(3, 5), Topology::on_one_host(2), processors_of);
  const ThreadPlan thread_plan = thread_plan_of(counts, Topology::on_one_host(2), processors_of, 0);
  EXPECT_EQ(thread_plan.workers, 3u);
  EXPECT_EQ(thread_plan.helpers, 5u);
}

TEST(Binding, SaysHowManyThreadsAndWhy) {
  const auto said = [](const All& processors_of, std::optional<std::size_t> threads = {}) {
    return describe_binding(Topology::on_one_host(processors_of.size()), processors_of,
                            given(threads));
  };
  EXPECT_EQ(said({cores(0, 1), cores(1, 1)}),
            "threads: 1 a rank: mpirun binds each rank to a single core; 1 helper a rank for "
            "processors that waiting ranks leave idle");
  EXPECT_EQ(said(All(2, cores(0, 16, true))), "threads: 8 a rank: 2 ranks share 16 cores");
  EXPECT_EQ(said({cores(0, 1)}), "threads: 1 a rank: it may use 1 core");
  EXPECT_EQ(said({cores(0, 2)}, 1),
            "threads: 1 a rank, as parallel.threads says: it may use 2 cores");
  EXPECT_EQ(said({{}, {}}),
            "threads: 1 a rank: the system does not say which processors it may use");
}

TEST(Binding, WarnsWhereItDefeatsWhatWasAskedFor) {
  EXPECT_EQ(describe_binding(Topology::on_one_host(1), {cores(0, 1)}, given(8)),
            "warning: parallel.threads = 8 but rank 0 may use 1 processor: start with mpirun "
            "--bind-to none, or --map-by slot:PE=8");
  EXPECT_EQ(
      describe_binding(Topology{{0, 1, 1}}, {cores(0, 8), cores(0, 6), cores(0, 6)}, given(4)),
      "warning: parallel.threads = 4 for each of 2 ranks on host 1, which have 6 processors "
      "between them and take turns: set it to 3, or start fewer ranks");
}

TEST(Binding, RanksThatTakeTurnsAreWarnedOfByHost) {
  const Topology hosts{{0, 0, 1, 1, 1}};
  const auto text = describe_binding(
      hosts, {cores(0, 1), cores(1, 1), cores(4, 2), cores(4, 2), cores(5, 1)}, given({}));
  EXPECT_TRUE(text.starts_with("warning: 3 ranks of host 1 share 2 processor(s)")) << text;
}

TEST(Binding, CoresAreWhatTheSystemSaysOfProcessors) {
  const test::TemporaryFolder root;
  const auto own = allowed_processors(root.path());
  ASSERT_FALSE(own.empty());
  const auto core_of = [&](const std::string& package, const std::string& core) {
    const auto folder =
        root.path() / fmt::format("sys/devices/system/cpu/cpu{}/topology", own[0].number);
    std::filesystem::create_directories(folder);
    std::ofstream{folder / "physical_package_id"} << package << '\n';
    std::ofstream{folder / "core_id"} << core << '\n';
    return allowed_processors(root.path())[0].core;
  };
  EXPECT_EQ(core_of("1", "3"), core_of("1", "3"));
  EXPECT_NE(core_of("1", "3"), core_of("0", "3"));
  EXPECT_NE(core_of("1", "3"), core_of("1", "2"));
  if (own.size() > 1) {
    EXPECT_NE(own[0].core, own[1].core) << "where nothing is said, each counts";
  }
}

TEST(Binding, EveryRankLearnsOfAll) {
  const auto gathered = gather_processors(world());
  ASSERT_EQ(gathered.size(), static_cast<std::size_t>(world().size()));
  EXPECT_EQ(gathered[static_cast<std::size_t>(world().rank())], allowed_processors());
  EXPECT_FALSE(allowed_processors().empty());
}

}  // namespace
}  // namespace ballast::train
