#include "train/binding.hpp"

#include <gtest/gtest.h>

#include "support/world.hpp"

namespace ballast::train {
namespace {

using test::world;

using Processors = std::vector<std::vector<std::size_t>>;

TEST(Binding, RanksWithAProcessorEachNeedNoWarning) {
  const auto one_host = fsdp::Topology::on_one_host(2);
  for (const Processors& processors : {Processors{{0}, {1}}, Processors{{0, 1}, {0, 1}}}) {
    EXPECT_TRUE(describe_binding(one_host, processors)
                    .starts_with("threads: one a rank, on 2 processor(s) of rank 0's host"));
  }
}

TEST(Binding, RanksThatTakeTurnsAreWarnedOfByHost) {
  const fsdp::Topology hosts{{0, 0, 1, 1, 1}};
  const auto text = describe_binding(hosts, {{0}, {1}, {4, 5}, {4, 5}, {5}});
  EXPECT_TRUE(text.starts_with("warning: 3 ranks of host 1 share 2 processor(s)")) << text;
}

TEST(Binding, UnknownProcessorsSayNothing) {
  EXPECT_TRUE(describe_binding(fsdp::Topology::on_one_host(2), {{}, {}}).starts_with("threads: "));
}

TEST(Binding, EveryRankLearnsOfAll) {
  const auto gathered = gather_processors(world());
  ASSERT_EQ(gathered.size(), static_cast<std::size_t>(world().size()));
  EXPECT_EQ(gathered[static_cast<std::size_t>(world().rank())], allowed_processors());
  EXPECT_FALSE(allowed_processors().empty());
}

}  // namespace
}  // namespace ballast::train
