#include "train/saver.hpp"

#include <cmath>
#include <filesystem>
#include <gtest/gtest.h>

#include "base/checked_cast.hpp"
#include "checkpoint/fixture.hpp"
#include "support/world.hpp"
#include "train/engine_in_job.hpp"
#include "train/small_dataset.hpp"

namespace ballast::train {
namespace {

using checkpoint::Part;
using checkpoint::SharedFolder;
using test::world;

Config small_config() {
  Config config;
  config.model = checkpoint::odd_config();
  config.model.vocabulary = 0;  // the dataset's
  config.data.seq_len = 24;
  config.data.micro_batch = 1;
  config.data.global_batch = 3;
  config.checkpoint.give_up = 2;
  return config;
}

class Saves : public testing::Test {
 protected:
  Saves() { (void)training_.initialize(); }

  [[nodiscard]] checkpoint::SaveRequest request(std::uint64_t step, std::uint64_t updates) const {
    auto request = checkpoint::request_for(folder_.path(), step);
    request.state.optimizer_steps = updates;
    return request;
  }
  [[nodiscard]] std::vector<std::string> saved() const {
    world().barrier({"before looking"});
    const auto checkpoints = checkpoint::checkpoints_folder(folder_.path());
    return std::filesystem::exists(checkpoints) ? checkpoint::names(checkpoints)
                                                : std::vector<std::string>{};
  }
  /// A value of the last rank's first moment, which every rank has some of.
  void poison(float value) {
    if (world().rank() == world().size() - 1) training_.model.tensors().moment1[0] = value;
    world().barrier({"poisoned"});
  }

  SharedFolder folder_{world()};
  SmallDataset data_;
  Config config_ = small_config();
  EngineInJob training_{config_, world(), data_.dataset()};
  MetricsLog log_ = MetricsLog::silent();
  Saver saver_{world(), config_.checkpoint, training_.model, log_};
};

using Names = std::vector<std::string>;

TEST_F(Saves, AStateThatIsNotFiniteIsNotSavedOverAGoodOne) {
  EXPECT_EQ(saver_.save(request(1, 1)), Saved::yes);
  poison(std::nanf(""));
  EXPECT_EQ(saver_.save(request(2, 2)), Saved::unsound);
  EXPECT_EQ(saver_.save_last(request(2, 2)), Saved::unsound);
  EXPECT_EQ(saved(), Names{"step-1"});
  poison(0.0f);
  EXPECT_EQ(saver_.save(request(3, 3)), Saved::yes);
  EXPECT_EQ(saver_.saved_step(), 3u);
}

TEST_F(Saves, WithoutAnUpdateTheLastCheckpointStays) {
  EXPECT_EQ(saver_.save(request(1, 1)), Saved::yes);
  EXPECT_EQ(saver_.save(request(2, 2)), Saved::yes);
  EXPECT_EQ(saver_.save(request(3, 2)), Saved::no_update);
  EXPECT_EQ(saved(), (Names{"step-1", "step-2"}));
  // The last save of a run is made all the same, and older ones stay besides.
  EXPECT_EQ(saver_.save_last(request(3, 2)), Saved::yes);
  EXPECT_EQ(saved(), (Names{"step-1", "step-2", "step-3"}));
}

TEST_F(Saves, FailuresInARowAreCountedUntilOneSucceeds) {
  const auto checkpoints = checkpoint::checkpoints_folder(folder_.path());
  const auto block = [&] {
    checkpoint::on_root(world(), [&] { std::ofstream{checkpoints} << "no folder"; });
  };
  const auto unblock = [&] {
    checkpoint::on_root(world(), [&] { std::filesystem::remove_all(checkpoints); });
  };
  block();
  EXPECT_EQ(saver_.save(request(1, 1)), Saved::failed);
  EXPECT_FALSE(saver_.has_given_up());
  unblock();
  EXPECT_EQ(saver_.save(request(2, 2)), Saved::yes);
  unblock();
  block();
  EXPECT_EQ(saver_.save(request(3, 3)), Saved::failed);
  EXPECT_FALSE(saver_.has_given_up());
  EXPECT_EQ(saver_.save(request(4, 4)), Saved::failed);
  EXPECT_TRUE(saver_.has_given_up());
}

}  // namespace
}  // namespace ballast::train
