#include <algorithm>
#include <gtest/gtest.h>
#include <map>
#include <string>
#include <vector>

#include "base/text.hpp"
#include "support/world.hpp"
#include "train/engine_in_job.hpp"
#include "train/measure/span_names.hpp"
#include "train/plan_config.hpp"
#include "train/small_dataset.hpp"
#include "train/teacher.hpp"

namespace ballast::train {
namespace {

using test::world;

TEST(ModelsInAJob, AreToldApartByTheirUnits) {
  const Config config = teacher_config(fsdp::Backend::automatic);
  const Job job = test::job_on(config, fsdp::Topology::on_one_host(2));
  const Workspace named{make_blueprint(job, teacher_of(config)), 1};
  const Workspace plain{make_blueprint(job), 1};
  const auto& table = named.layout().table();
  ASSERT_EQ(table.units().size(), plain.layout().table().units().size());
  for (std::size_t unit = 0; unit < table.units().size(); ++unit) {
    EXPECT_EQ(table.unit(unit).name, "teacher." + plain.layout().table().unit(unit).name);
  }
  // Files know a parameter by its name alone.
  EXPECT_EQ(table.parameters()[3].name, plain.layout().table().parameters()[3].name);
}

TEST(ModelsInAJob, HaveNamesOfTheirOwn) {
  const Config config = teacher_config(fsdp::Backend::automatic);
  const Job job = test::job_on(config, fsdp::Topology::on_one_host(2));
  const ReadOnlyModel teacher = teacher_of(config);
  ReadOnlyModel other = teacher;
  EXPECT_THROW((void)job.with_beside({teacher, other}), Error);
  other.name = "";
  EXPECT_THROW((void)job.with_beside({teacher, other}), Error);
  other.name = "reward";
  EXPECT_EQ(job.with_beside({teacher, other}).beside.size(), 2u);
}

TEST(ModelsInAJob, AreToldApartInAProfile) {
  const SmallDataset data;
  const Config config = student_config(fsdp::Backend::automatic);
  const ReadOnlyModel beside = teacher_of(teacher_config(fsdp::Backend::automatic));
  Profile profile;
  Profile of_teacher{profile, 1};
  EngineInJob training{config, world(), data.dataset(), &profile, {beside}};
  ModelInJob model{world(), make_blueprint(training.job, beside, &of_teacher, &training.team),
                   training.job.ranks.rank};
  model.initialize(1);
  Teacher teacher{model};
  auto state = training.initialize();
  training.engine.step(state, kLr, {}, {&teacher});

  SpanNames names{training.job.model, training.model.layout().table()};
  names.add(beside.model, model.layout().table());
  std::map<std::string, std::size_t> calls;
  for (const auto& event : profile.last_steps(1)) {
    ++calls[names.kind(event)];
    ++calls[names.one(event)];
  }
  const std::size_t leaves = calls["teacher embedding"] / 2;
  ASSERT_GT(leaves, 0u);
  EXPECT_EQ(calls["teacher block"], 4 * leaves);
  EXPECT_EQ(calls["block"], 3 * leaves);
  EXPECT_EQ(calls["teacher block 3"], leaves);
  EXPECT_EQ(calls["block 3"], 0u);
  EXPECT_EQ(calls["teacher down NT"] / 2, 4 * leaves);
  // Also in the waves in which this rank has no leaf.
  const auto ranks = static_cast<std::size_t>(world().size());
  EXPECT_EQ(calls["gather teacher.block.3"], (kLeaves + ranks - 1) / ranks);
}

std::uint64_t bytes_of(const std::vector<MemoryPlan::Item>& items) {
  std::uint64_t bytes = 0;
  for (const auto& item : items) bytes += item.bytes;
  return bytes;
}

TEST(ModelsInAJob, AreAllInItsMemoryPlan) {
  const Config config = student_config(fsdp::Backend::automatic);
  const ReadOnlyModel teacher = teacher_of(teacher_config(fsdp::Backend::automatic));
  ReadOnlyModel reward = teacher;
  reward.name = "reward";
  reward.model.layers = 2;
  const Job job = test::job_on(config, fsdp::Topology::on_one_host(3));
  const MemoryPlan alone = plan_memory(job);
  const MemoryPlan all = plan_memory(job.with_beside({teacher, reward}));
  MemoryPlan sum = alone;
  for (const ReadOnlyModel& model : {teacher, reward}) {
    const MemoryPlan other = plan_memory(make_blueprint(job, model), job.ranks);
    sum.host_bytes += other.host_bytes;
    sum.shared_bytes += other.shared_bytes;
    sum.rank_bytes += other.rank_bytes;
  }
  EXPECT_EQ(all.host_bytes, sum.host_bytes);
  EXPECT_EQ(all.shared_bytes, sum.shared_bytes);
  EXPECT_EQ(all.rank_bytes, sum.rank_bytes);
  EXPECT_EQ(bytes_of(all.host_items), all.host_bytes);
  EXPECT_EQ(all.host_ranks, 3u);

  // A host that could hold the training alone.
  const auto limits_of = [](std::uint64_t bytes) { return MachineLimits{{bytes, "a test"}, {}}; };
  EXPECT_FALSE(find_shortage(alone, limits_of(alone.expected_host_bytes())));
  EXPECT_TRUE(find_shortage(all, limits_of(alone.expected_host_bytes())));
  // What would help is planned with all of them.
  Config less = config;
  less.parallel.recompute = model::RecomputePolicy::full();
  const MemoryPlan smaller = plan_memory(
      test::job_on(less, fsdp::Topology::on_one_host(3)).with_beside({teacher, reward}));
  const auto ways =
      ways_to_fit(job.with_beside({teacher, reward}), limits_of(all.expected_host_bytes() - 1));
  EXPECT_NE(
      std::ranges::find(ways, fmt::format("parallel.recompute = full: up to {} a rank, {} together",
                                          human_bytes(smaller.rank_bytes),
                                          human_bytes(smaller.expected_host_bytes()))),
      ways.end());
}

}  // namespace
}  // namespace ballast::train
