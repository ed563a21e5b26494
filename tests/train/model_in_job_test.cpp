#include "train/plan/model_in_job.hpp"

#include <gtest/gtest.h>
#include <vector>

#include "base/checked_cast.hpp"
#include "support/world.hpp"
#include "train/deal.hpp"
#include "train/engine_in_job.hpp"
#include "train/plan_config.hpp"
#include "train/small_dataset.hpp"

namespace ballast::train {
namespace {

using test::world;

constexpr double kLr = 1e-3;

void expect_without_weights(EngineInJob& training, checkpoint::TrainingState& state) {
  for (const auto& compute :
       std::vector<std::function<void()>>{[&] { (void)training.engine.step(state, kLr); },
                                          [&] { (void)training.text.evaluate(); }}) {
    try {
      compute();
      ADD_FAILURE() << "a model without weights computed";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::internal);
      EXPECT_NE(std::string{error.what()}.find("a model without weights"), std::string::npos);
    }
  }
}

TEST(ModelInJob, ComputesOnceItHasItsWeights) {
  const SmallDataset data{data::SplitRule::tail};
  const Config config = test::uneven_config(static_cast<std::size_t>(world().size()));
  EngineInJob training{config, world(), data.dataset()};
  auto state = training.engine.initial_state();
  expect_without_weights(training, state);

  const auto broken = [](const checkpoint::ShardTensors&) { throw data_error("a broken file"); };
  EXPECT_THROW(training.model.load(broken), Error);
  expect_without_weights(training, state);
  EXPECT_EQ(state.step, 0u);

  state = training.initialize();
  EXPECT_FALSE(training.engine.step(state, kLr).was_skipped());
  EXPECT_THROW(training.model.load(broken), Error);
  expect_without_weights(training, state);
  EXPECT_EQ(state.step, 1u);
}

TEST(Deal, GivesEveryPieceToOneRankWaveByWave) {
  const SmallDataset data;
  EngineInJob training{test::uneven_config(2), world(), data.dataset()};
  const auto ranks = checked_cast<std::size_t>(world().size());
  const auto rank = checked_cast<std::size_t>(world().rank());
  const model::StepProgram nothing;
  constexpr std::size_t kMicroBatches = 2;
  for (const std::size_t count : {std::size_t{0}, std::size_t{1}, ranks, 2 * ranks + 1}) {
    std::vector<std::size_t> own;
    std::size_t walks = 0;
    deal(
        world(), training.model.parameters(), nothing, {count, kMicroBatches},
        [&](std::size_t piece, std::size_t micro) {
          EXPECT_EQ(micro, own.size() % kMicroBatches);
          own.push_back(piece);
        },
        [&] { ++walks; });
    std::vector<std::size_t> expected;
    for (std::size_t piece = rank; piece < count; piece += ranks) {
      expected.insert(expected.end(), kMicroBatches, piece);
    }
    EXPECT_EQ(own, expected);
    EXPECT_EQ(own.size() + walks, kMicroBatches * ((count + ranks - 1) / ranks));
  }
}

}  // namespace
}  // namespace ballast::train
