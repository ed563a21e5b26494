#include "train/watch/step_observers.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "support/world.hpp"
#include "train/engine_in_job.hpp"
#include "train/plan_config.hpp"
#include "train/small_dataset.hpp"

namespace ballast::train {
namespace {

using test::world;

constexpr std::size_t kLayers = 2;
constexpr std::size_t kLeaves = 5;

/// Writes down what it is told.
class Diary final : public StepObserver {
 public:
  void begin_step() override { lines.push_back("begin"); }
  void before_micro_batch(std::uint64_t sample, const model::Batch&) override {
    lines.push_back(fmt::format("sample {}", sample));
  }
  void without_micro_batch() override { lines.push_back("idle"); }
  void before_blocks(std::span<const float>) override { lines.push_back("blocks"); }
  void after_block(std::size_t layer, std::span<const float>,
                   const model::AttentionSignals&) override {
    lines.push_back(fmt::format("block {}", layer));
  }
  void add_gradient(std::size_t layer, std::span<float>) override {
    lines.push_back(fmt::format("gradient {}", layer));
  }
  void before_update(comm::Communicator& ranks) override {
    lines.push_back(fmt::format("update of {}", ranks.sum(1, {"diary"})));
  }
  std::span<kernels::AdamWPartials> room_for_update(model::UnitId unit) override {
    lines.push_back(fmt::format("room {}", unit));
    return {};
  }
  void after_unit(model::UnitId unit, const optim::MasterSlice&) override {
    lines.push_back(fmt::format("unit {}", unit));
  }

  std::vector<std::string> lines;
};

Config small_config() {
  Config config = test::uneven_config(1);
  config.model.layers = kLayers;
  config.data.micro_batch = 1;
  config.data.global_batch = kLeaves;
  return config;
}

/// What this rank's part of a step from sample `cursor` on is to tell.
std::vector<std::string> expected_lines(std::size_t cursor) {
  const auto ranks = static_cast<std::size_t>(world().size());
  const auto rank = static_cast<std::size_t>(world().rank());
  std::vector<std::string> lines{"begin"};
  for (std::size_t first = 0; first < kLeaves; first += ranks) {
    if (first + rank >= kLeaves) {
      lines.push_back("idle");
      continue;
    }
    lines.push_back(fmt::format("sample {}", cursor + first + rank));
    for (const char* line : {"blocks", "block 0", "block 1", "gradient 1", "gradient 0"}) {
      lines.push_back(line);
    }
  }
  lines.push_back(fmt::format("update of {}", ranks));
  for (std::size_t unit = 0; unit < kLayers + 2; ++unit) {
    lines.push_back(fmt::format("room {}", unit));
    lines.push_back(fmt::format("unit {}", unit));
  }
  return lines;
}

TEST(StepObservers, AreToldOfAStepInItsOrderAndOfNoOther) {
  const SmallDataset data;
  EngineInJob training{small_config(), world(), data.dataset()};
  auto state = training.initialize();
  Diary first, second;
  training.engine.step(state, 1e-3, {}, {&first, nullptr, &second});
  EXPECT_EQ(first.lines, expected_lines(0));
  EXPECT_EQ(second.lines, first.lines);

  second.lines.clear();
  training.engine.step(state, 1e-3, {}, {&second});
  EXPECT_EQ(second.lines, expected_lines(kLeaves));
  EXPECT_EQ(first.lines, expected_lines(0));
}

/// Wants room for an update, and has something to say.
class Talker final : public StepObserver {
 public:
  explicit Talker(std::size_t granules) : room_(granules) {}
  void before_blocks(std::span<const float>) override {}
  void after_block(std::size_t, std::span<const float>, const model::AttentionSignals&) override {}
  void add_gradient(std::size_t, std::span<float>) override {}
  std::span<kernels::AdamWPartials> room_for_update(model::UnitId) override { return room_; }
  std::optional<std::string> log_line(std::uint64_t step) override {
    if (step % 2 == 0) return {};
    return fmt::format("{} of step {}", room_.size(), step);
  }

 private:
  std::vector<kernels::AdamWPartials> room_;
};

TEST(StepObservers, TheFirstThatWantsRoomGetsTheUpdateAndNewsAreCollected) {
  std::vector<std::unique_ptr<StepObserver>> standing;
  standing.push_back(std::make_unique<Talker>(0));
  standing.push_back(std::make_unique<Talker>(3));
  standing.push_back(std::make_unique<Talker>(4));
  StepObservers observers{std::move(standing)};
  observers.set_for_step({});
  EXPECT_EQ(observers.room_for_update(0).size(), 3u);
  EXPECT_EQ(observers.log_lines(1),
            (std::vector<std::string>{"0 of step 1", "3 of step 1", "4 of step 1"}));
  EXPECT_TRUE(observers.log_lines(2).empty());
  Talker observer{9};
  observers.set_for_step({&observer});
  EXPECT_EQ(observers.room_for_update(0).size(), 9u);
}

TEST(StepObservers, NobodyIsNullToTheModel) {
  StepObservers observers{{}};
  observers.set_for_step({nullptr});
  EXPECT_EQ(observers.of_blocks(), nullptr);
  Talker observer{1};
  observers.set_for_step({&observer});
  EXPECT_NE(observers.of_blocks(), nullptr);
  observers.set_for_step({});
  EXPECT_EQ(observers.of_blocks(), nullptr);
}

}  // namespace
}  // namespace ballast::train
