#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "support/world.hpp"
#include "train/engine_in_job.hpp"
#include "train/odd_training.hpp"
#include "train/small_dataset.hpp"

namespace ballast::train {
namespace {

using test::world;

Config config_of(fsdp::Backend backend, ElementType param, const char* frozen) {
  Config config = test::odd_training();
  config.parallel.backend = backend;
  config.precision.param = param;
  config.optim.freeze = model::Freeze::parse(frozen).value();
  return config;
}

/// The masters of this rank's segments that train, or of the others.
std::vector<float> masters(const ModelInJob& model, bool trained) {
  std::vector<float> all;
  for (const auto& segment : model.layout().held_segments()) {
    if (model.layout().trains(segment) != trained) continue;
    std::vector<float> values(segment.granules.numel());
    model.tensors().master.read(segment.local_offset, values);
    all.insert(all.end(), values.begin(), values.end());
  }
  return all;
}

TEST(FrozenTraining, WhatIsFrozenKeepsItsBitsAndTheRestMoves) {
  const SmallDataset data;
  for (const char* frozen : {"embedding,block.0.*", "*.wq,*.w_up,final_norm", "head,*.w*"}) {
    for (const fsdp::Backend backend : {fsdp::Backend::region, fsdp::Backend::mpi}) {
      for (const ElementType param : {ElementType::fp32, ElementType::bf16, ElementType::fp16}) {
        SCOPED_TRACE(fmt::format("{} {}", frozen, name_of(param)));
        EngineInJob training{config_of(backend, param, frozen), world(), data.dataset()};
        auto state = training.initialize();
        state.loss_scaler.scale = 1.0;
        const auto still = masters(training.model, false);
        const auto moving = masters(training.model, true);
        for (int step = 0; step < 3; ++step) {
          EXPECT_FALSE(training.engine.step(state, 1e-2).was_skipped());
        }
        EXPECT_EQ(masters(training.model, false), still);
        const bool moved = masters(training.model, true) != moving;
        EXPECT_EQ(moved, !moving.empty());
        EXPECT_EQ(training.model.tensors().moment1.size(), training.model.layout().trained_numel());
      }
    }
  }
}

/// What QK-Clip has to say after a step in which every logit is above its threshold.
std::vector<std::string> news_of_clipping(const data::Dataset& dataset, const char* frozen) {
  auto config = config_of(fsdp::Backend::automatic, ElementType::fp32, frozen);
  config.experimental.qk_clip = 1e-6;
  EngineInJob training{config, world(), dataset};
  auto state = training.initialize();
  EXPECT_FALSE(training.engine.step(state, 1e-2).was_skipped());
  return training.engine.log_lines(1);
}

TEST(FrozenTraining, QkClipLeavesBlocksAloneWhoseQueriesOrKeysAreFrozen) {
  const SmallDataset data;
  const auto all = news_of_clipping(data.dataset(), "none");
  ASSERT_EQ(all.size(), 1u);
  EXPECT_NE(all.front().find("of 3 block(s)"), std::string::npos) << all.front();
  const auto some = news_of_clipping(data.dataset(), "block.0.wk,block.2.*");
  ASSERT_EQ(some.size(), 1u);
  EXPECT_NE(some.front().find("of 1 block(s)"), std::string::npos) << some.front();
  EXPECT_TRUE(news_of_clipping(data.dataset(), "*.wq").empty());
}

TEST(FrozenTraining, SomethingHasToTrain) {
  const SmallDataset data;
  const auto config = config_of(fsdp::Backend::automatic, ElementType::fp32, "embedding,[!e]*");
  try {
    (void)settle(world(), config, data.dataset());
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::usage);
    EXPECT_NE(std::string{error.what()}.find("leaves nothing to train"), std::string::npos);
  }
}

}  // namespace
}  // namespace ballast::train
