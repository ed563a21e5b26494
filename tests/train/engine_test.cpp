#include "train/engine.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <vector>

#include "base/checked_cast.hpp"
#include "support/world.hpp"
#include "train/engine_in_job.hpp"
#include "train/odd_training.hpp"
#include "train/small_dataset.hpp"

namespace ballast::train {
namespace {

using checkpoint::TrainingState;
using test::world;

constexpr double kLr = 1e-3;

Config config_of(fsdp::Backend backend, ElementType param) {
  Config config = test::odd_training();
  config.parallel.backend = backend;
  config.precision.param = param;
  config.precision.scaler = {.initial = 256.0, .growth_interval = 2, .hysteresis = 2};
  return config;
}

/// Makes the gradient that enters a block infinite in one pass over one leaf.
class Saboteur final : public StepObserver {
 public:
  explicit Saboteur(std::size_t layer) : layer_{layer} {}

  /// Strikes in this rank's pass `pass` from now, counted from 0.
  void strike_in(std::size_t pass) { countdown_ = pass + 1; }

  void before_blocks(std::span<const float>) override {
    strikes_ = countdown_ == 1;
    if (countdown_ > 0) --countdown_;
  }
  void after_block(std::size_t, std::span<const float>, const model::AttentionSignals&) override {}
  void add_gradient(std::size_t layer, std::span<float> gradient) override {
    if (strikes_ && layer == layer_) gradient[7] = std::numeric_limits<float>::infinity();
  }

 private:
  std::size_t layer_;
  std::size_t countdown_ = 0;
  bool strikes_ = false;
};

/// An engine in training. What its steps return must be the same on every rank.
class Training {
 public:
  explicit Training(const Config& config)
      : in_job_{config, world(), data_.dataset()}, state_{in_job_.initialize()} {}

  [[nodiscard]] const model::ParameterTable& table() const {
    return in_job_.model.layout().table();
  }
  [[nodiscard]] const TrainingState& state() const { return state_; }

  /// `observer` watches it; null: nobody does.
  StepResult step(StepObserver* observer = nullptr) {
    StepResult result = in_job_.engine.step(state_, kLr, {}, {observer});
    const auto own = fmt::format("{} {} {} {} {}", result.loss.mean(), result.grad_norm,
                                 result.skip_reason.value_or("applied"), state_.loss_scaler.scale,
                                 state_.loss_scaler.tolerance);
    for (const auto& text : world().gather_texts(own, {"results"})) EXPECT_EQ(text, own);
    return result;
  }

  /// Master weights and moments of this rank, as bits.
  [[nodiscard]] std::vector<std::uint32_t> bits() const {
    const auto tensors = in_job_.model.tensors();
    std::vector<float> values(tensors.master.size());
    tensors.master.read(0, values);
    values.insert(values.end(), tensors.moment1.begin(), tensors.moment1.end());
    values.insert(values.end(), tensors.moment2.begin(), tensors.moment2.end());
    std::vector<std::uint32_t> bits;
    for (const float value : values) bits.push_back(std::bit_cast<std::uint32_t>(value));
    return bits;
  }

  /// Replaces the first element of a tensor on the ranks that hold it. Returns what was there.
  float exchange_weight(std::size_t parameter, float value) {
    std::array before{value};
    in_job_.model.load([&](const checkpoint::ShardTensors& tensors) {
      for (const auto& segment : in_job_.model.layout().held_segments()) {
        if (segment.parameter != parameter || segment.granules.first != 0) continue;
        tensors.master.read(segment.local_offset, before);
        tensors.master.write(segment.local_offset, std::array{value});
      }
    });
    return before.front();
  }

 private:
  SmallDataset data_;
  EngineInJob in_job_;
  TrainingState state_;
};

class EngineOver : public testing::TestWithParam<fsdp::Backend> {};

void expect_contains(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << part << "\nin: " << text;
}

/// Rank `rank` as messages name it, the host left out.
std::string label_of(int rank) { return fmt::format("rank {}/{}", rank, world().size()); }

/// Whether a text names a tensor of a block.
bool names_tensor_of(const model::ParameterTable& table, std::size_t layer,
                     const std::string& text) {
  const auto parameters = table.parameters_of_layer(layer);
  return std::ranges::any_of(parameters, [&](const model::ParameterInfo& parameter) {
    return text.find("the gradient of " + parameter.name + ",") != std::string::npos;
  });
}

TEST_P(EngineOver, AnOverflowOnOneRankIsSkippedOnAllAndNamed) {
  Training training{config_of(GetParam(), ElementType::fp16)};
  Saboteur saboteur{1};
  EXPECT_FALSE(training.step(&saboteur).was_skipped());
  const auto before = training.bits();

  const auto expect_skipped = [&](int rank, int pass, double next_scale) {
    const int leaf = pass * world().size() + rank;
    if (world().rank() == rank) saboteur.strike_in(checked_cast<std::size_t>(pass));
    const auto result = training.step(&saboteur);
    ASSERT_TRUE(result.was_skipped());
    EXPECT_TRUE(std::isfinite(result.loss.mean()));
    EXPECT_TRUE(std::isnan(result.grad_norm));
    EXPECT_EQ(result.loss_scale, 256.0);
    EXPECT_EQ(training.state().loss_scaler.scale, next_scale);
    EXPECT_EQ(training.state().optimizer_steps, 1u);
    EXPECT_EQ(training.bits(), before);
    expect_contains(*result.skip_reason, label_of(rank) + " ");
    expect_contains(*result.skip_reason, fmt::format("leaf {}", leaf));
    EXPECT_TRUE(names_tensor_of(training.table(), 1, *result.skip_reason)) << *result.skip_reason;
  };
  // The first overflow is forgiven. Leaves 0 to 3 are in the first wave on four ranks, leaf 4 in
  // the second on any number.
  expect_skipped(world().size() - 1, 0, 256.0);
  expect_skipped(0, 1, 128.0);

  const auto result = training.step(&saboteur);
  EXPECT_FALSE(result.was_skipped());
  EXPECT_EQ(result.loss_scale, 128.0);
  EXPECT_EQ(training.state().step, 4u);
  EXPECT_EQ(training.state().optimizer_steps, 2u);
  EXPECT_NE(training.bits(), before);
}

TEST_P(EngineOver, ASkippedStepMovesOnInTheData) {
  Training training{config_of(GetParam(), ElementType::fp32)};
  Saboteur saboteur{2};
  saboteur.strike_in(0);
  const auto first = training.step(&saboteur);
  EXPECT_TRUE(first.was_skipped());
  EXPECT_EQ(training.state().cursor, 5u);
  EXPECT_EQ(training.state().tokens, static_cast<std::uint64_t>(first.loss.labels()));
  EXPECT_EQ(training.state().loss_scaler.scale, 1.0);
  EXPECT_FALSE(training.step(&saboteur).was_skipped());
}

TEST_P(EngineOver, ANanInAWeightIsNamedWhereItArose) {
  for (const ElementType param : {ElementType::fp32, ElementType::bf16, ElementType::fp16}) {
    SCOPED_TRACE(name_of(param));
    Training training{config_of(GetParam(), param)};
    const auto& table = training.table();
    const auto all = table.parameters();
    const auto weight = std::ranges::find(all, table.parameters_of_layer(1).front().name,
                                          &model::ParameterInfo::name);
    const auto index = static_cast<std::size_t>(weight - all.begin());
    training.step();
    const float good = training.exchange_weight(index, std::numeric_limits<float>::quiet_NaN());
    const auto before = training.bits();
    for (int i = 0; i < 2; ++i) {
      const auto result = training.step();
      ASSERT_TRUE(result.was_skipped());
      EXPECT_TRUE(std::isnan(result.loss.mean()));
      EXPECT_TRUE(result.skip_reason->starts_with("block.1 of the forward pass, on " + label_of(0)))
          << *result.skip_reason;
      expect_contains(*result.skip_reason, "leaf 0");
      EXPECT_EQ(training.bits(), before);
    }
    training.exchange_weight(index, good);
    EXPECT_FALSE(training.step().was_skipped());
    EXPECT_EQ(training.state().optimizer_steps, 2u);
  }
}

TEST_P(EngineOver, TheLossScaleGrowsAfterItsInterval) {
  Training training{config_of(GetParam(), ElementType::fp16)};
  std::vector<double> scales;
  for (int i = 0; i < 5; ++i) scales.push_back(training.step().loss_scale);
  EXPECT_EQ(scales, (std::vector<double>{256, 256, 512, 512, 1024}));
  EXPECT_EQ(training.state().loss_scaler.good_steps, 1u);
}

TEST_P(EngineOver, AFigureOfALossReachesEveryRankByItsName) {
  Config config = config_of(GetParam(), ElementType::bf16);
  Training plain{config};
  config.optim.z_loss = 1e-2;
  Training training{config};
  const auto without = plain.step();
  const auto result = training.step();
  EXPECT_TRUE(std::isnan(without.loss.mean("z_loss")));
  EXPECT_EQ(result.loss.mean(), without.loss.mean());
  EXPECT_EQ(result.loss.mean("log_z"), without.loss.mean("log_z"));
  // c times the mean of squares, which is above the square of the mean.
  const double log_z = result.loss.mean("log_z");
  const double z_loss = result.loss.mean("z_loss");
  EXPECT_GT(z_loss, 1e-2 * log_z * log_z);
  EXPECT_LT(z_loss, 1.1e-2 * log_z * log_z);
  for (const auto& text : world().gather_texts(fmt::format("{}", z_loss), {"figures"})) {
    EXPECT_EQ(text, fmt::format("{}", z_loss));
  }
  EXPECT_NE(training.bits(), plain.bits());
}

TEST_P(EngineOver, Bf16MayScaleItsLoss) {
  Config config = config_of(GetParam(), ElementType::bf16);
  Training plain{config};
  config.precision.loss_scaling = LossScaling::dynamic;
  Training scaled{config};
  EXPECT_EQ(plain.state().loss_scaler.scale, 1.0);
  EXPECT_EQ(scaled.state().loss_scaler.scale, 256.0);
  const auto expected = plain.step();
  const auto result = scaled.step();
  EXPECT_EQ(result.loss.mean(), expected.loss.mean());
  EXPECT_NEAR(result.grad_norm, expected.grad_norm, 1e-4 * expected.grad_norm);
  EXPECT_EQ(scaled.step().loss_scale, 256.0);
  EXPECT_EQ(scaled.step().loss_scale, 512.0);
  EXPECT_EQ(plain.state().loss_scaler.tolerance, 0u);
}

/// Looks at the stream's numbers.
class Onlooker final : public StepObserver {
 public:
  void before_blocks(std::span<const float> residual) override { look(residual); }
  void after_block(std::size_t, std::span<const float> residual,
                   const model::AttentionSignals& attention) override {
    look(residual);
    logits_are_finite_ = logits_are_finite_ && std::isfinite(attention.largest_logit);
  }
  void add_gradient(std::size_t, std::span<float> gradient) override {
    EXPECT_EQ(gradient.size(), kElements);
  }

  [[nodiscard]] std::size_t views() const { return views_; }
  [[nodiscard]] bool logits_are_finite() const { return logits_are_finite_; }
  /// Numbers that bf16 cannot hold.
  [[nodiscard]] std::size_t fine() const { return fine_; }

 private:
  static constexpr std::size_t kElements = 24 * 36;

  void look(std::span<const float> residual) {
    ++views_;
    EXPECT_EQ(residual.size(), kElements);
    for (const float value : residual) {
      EXPECT_TRUE(std::isfinite(value));
      if ((std::bit_cast<std::uint32_t>(value) & 0xffffu) != 0) ++fine_;
    }
  }

  std::size_t views_ = 0;
  std::size_t fine_ = 0;
  bool logits_are_finite_ = true;
};

TEST_P(EngineOver, ObserversSeeTheStreamInFp32) {
  for (const ElementType residual : {ElementType::fp32, ElementType::bf16}) {
    SCOPED_TRACE(name_of(residual));
    Config config = config_of(GetParam(), ElementType::bf16);
    config.precision.residual = residual;
    config.parallel.recompute = model::RecomputePolicy::every(2);
    Training training{config};
    Onlooker onlooker;
    training.step(&onlooker);
    // Once before the blocks and once after each, for each of this rank's leaves.
    const auto rank = checked_cast<std::size_t>(world().rank());
    const auto ranks = checked_cast<std::size_t>(world().size());
    EXPECT_EQ(onlooker.views(), 4 * ((5 - rank + ranks - 1) / ranks));
    EXPECT_TRUE(onlooker.logits_are_finite());
    if (residual == ElementType::bf16) {
      EXPECT_EQ(onlooker.fine(), 0u);
    } else {
      EXPECT_GT(onlooker.fine(), 0u);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Backends, EngineOver,
                         testing::Values(fsdp::Backend::region, fsdp::Backend::mpi),
                         [](const auto& backend) { return std::string{name_of(backend.param)}; });

}  // namespace
}  // namespace ballast::train
