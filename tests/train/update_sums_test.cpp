#include "train/watch/update_sums.hpp"

#include <cmath>
#include <gtest/gtest.h>
#include <tuple>

#include "support/world.hpp"
#include "train/engine_in_job.hpp"
#include "train/odd_training.hpp"
#include "train/small_dataset.hpp"

namespace ballast::train {
namespace {

using test::world;

Config config_of(fsdp::Sharding sharding, ElementType param) {
  Config config = test::odd_training(2);
  config.parallel.sharding = sharding;
  config.precision.param = param;
  return config;
}

/// Listens to updates, and to nothing else.
class Listener final : public StepObserver {
 public:
  explicit Listener(UpdateSums& sums) : sums_{&sums} {}
  void before_blocks(std::span<const float>) override {}
  void after_block(std::size_t, std::span<const float>, const model::AttentionSignals&) override {}
  void add_gradient(std::size_t, std::span<float>) override {}
  std::span<kernels::AdamWPartials> room_for_update(model::UnitId unit) override {
    return sums_->room_for(unit);
  }

 private:
  UpdateSums* sums_;
};

/// Squares of the master weights of each tensor that this rank owns, and of what they changed by.
struct Squares {
  std::vector<double> weight, update;
};

std::vector<float> masters(const ModelInJob& model) {
  std::vector<float> values(model.layout().local_numel());
  model.tensors().master.read(0, values);
  return values;
}

Squares squares_of(const ModelInJob& model, const std::vector<float>& before,
                   const std::vector<float>& after) {
  const std::size_t parameters = model.layout().table().parameters().size();
  Squares squares{std::vector<double>(parameters), std::vector<double>(parameters)};
  for (const auto& segment : model.layout().owned_segments()) {
    for (std::size_t i = 0; i < segment.logical_numel; ++i) {
      const double now = static_cast<double>(after[segment.local_offset + i]);
      const double change = now - static_cast<double>(before[segment.local_offset + i]);
      squares.weight[segment.parameter] += now * now;
      squares.update[segment.parameter] += change * change;
    }
  }
  return squares;
}

/// Over the job, as integers: the world adds integers.
double total(double own) {
  return static_cast<double>(world().sum(std::llround(own * 1e12), {"test"})) * 1e-12;
}

class UpdateSumsOf : public testing::TestWithParam<std::tuple<fsdp::Sharding, ElementType>> {};

TEST_P(UpdateSumsOf, AStepAreThoseOfItsWeights) {
  const auto [sharding, param] = GetParam();
  const Config config = config_of(sharding, param);
  SmallDataset data;
  EngineInJob training{config, world(), data.dataset()};
  auto state = training.initialize();
  const ModelInJob& model = training.model;
  UpdateSums sums{model.layout()};
  Listener listener{sums};
  for (int step = 1; step <= 2; ++step) {
    const auto before = masters(model);
    (void)training.engine.step(state, 1e-3, {}, {&listener});
    const auto signals = sums.gather(world());
    const Squares squares = squares_of(model, before, masters(model));
    const auto parameters = model.layout().table().parameters();
    ASSERT_EQ(signals.size(), parameters.size());
    for (std::size_t i = 0; i < signals.size(); ++i) {
      const double weight =
          std::sqrt(total(squares.weight[i]) / static_cast<double>(parameters[i].numel));
      const double update = std::sqrt(total(squares.update[i]) / total(squares.weight[i]));
      EXPECT_NEAR(signals[i].weight, weight, 1e-5 * weight) << signals[i].name;
      EXPECT_NEAR(signals[i].update, update, 1e-3 * update) << signals[i].name;
      if (step == 1 && signals[i].layer) {
        EXPECT_NEAR(signals[i].staleness, 1.0, 1e-3) << "v is g² after one step";
      }
      EXPECT_GT(signals[i].staleness, 0.0);
    }
  }
}

TEST_P(UpdateSumsOf, AStepWithoutUpdateAreNone) {
  const auto [sharding, param] = GetParam();
  const Config config = config_of(sharding, param);
  SmallDataset data;
  const EngineInJob training{config, world(), data.dataset()};
  const UpdateSums sums{training.model.layout()};
  for (const auto& tensor : sums.without_update()) {
    EXPECT_TRUE(std::isnan(tensor.staleness) && std::isnan(tensor.weight) &&
                std::isnan(tensor.update));
  }
}

TEST_P(UpdateSumsOf, TensorsKnowTheirBlocks) {
  const auto [sharding, param] = GetParam();
  const Config config = config_of(sharding, param);
  SmallDataset data;
  const EngineInJob training{config, world(), data.dataset()};
  const UpdateSums sums{training.model.layout()};
  for (const auto& tensor : sums.without_update()) {
    const bool is_block = tensor.name.starts_with("block.");
    EXPECT_EQ(tensor.layer.has_value(), is_block) << tensor.name;
    if (is_block) {
      EXPECT_EQ(tensor.name[6], static_cast<char>('0' + *tensor.layer));
    }
    EXPECT_EQ(tensor.is_matrix, tensor.name.find("norm") == std::string::npos) << tensor.name;
  }
}

INSTANTIATE_TEST_SUITE_P(Modes, UpdateSumsOf,
                         testing::Combine(testing::Values(fsdp::Sharding::full,
                                                          fsdp::Sharding::none),
                                          testing::Values(ElementType::fp32, ElementType::bf16)));

}  // namespace
}  // namespace ballast::train
