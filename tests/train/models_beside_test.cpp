#include <gtest/gtest.h>
#include <string>

#include "checkpoint/fixture.hpp"
#include "support/world.hpp"
#include "train/engine_in_job.hpp"
#include "train/offline/evaluate.hpp"
#include "train/saved_teacher.hpp"
#include "train/settings/identity.hpp"
#include "train/small_dataset.hpp"
#include "train/start/fingerprint.hpp"
#include "train/start/saved_model.hpp"
#include "train/teacher.hpp"

namespace ballast::train {
namespace {

using test::world;

/// A training, with a hand in every step for `observer` and `between` after it: each step's results
/// and the hash of the last state as text.
template <class Between>
std::string trained(EngineInJob& training, StepObserver* observer, Between&& between) {
  auto state = training.initialize();
  std::string text;
  for (std::size_t step = 0; step < kSteps; ++step) {
    const StepResult result = training.engine.step(state, kLr, {}, {observer});
    text += fmt::format("{} {}\n", result.loss.mean(), result.grad_norm);
    between();
  }
  const auto hash =
      checkpoint::state_hash(world(), training.model.layout(), training.model.tensors(), state);
  return text + hash.hex();
}

std::string trained_alone(const Config& config, const data::Dataset& dataset) {
  EngineInJob training{config, world(), dataset};
  return trained(training, nullptr, [] {});
}

/// A training and a model beside it that has the weights of a checkpoint.
struct Pair {
  Pair(const Config& config, const ReadOnlyModel& beside, const std::filesystem::path& weights,
       const data::Dataset& dataset)
      : training{config, world(), dataset, nullptr, {beside}},
        teacher{world(), make_blueprint(training.job, beside, nullptr, &training.team),
                training.job.ranks.rank} {
    const SavedModel saved = find_saved_model(world(), weights);
    teacher.load_weights(world(), [&](const auto& table) { return saved.open(table); });
  }

  EngineInJob training;
  ModelInJob teacher;
};

class ModelsBeside : public testing::TestWithParam<fsdp::Backend> {
 protected:
  SmallDataset data_{data::SplitRule::tail};
  checkpoint::SharedFolder folder_{world()};
  Config student_ = student_config(GetParam());
  Config teacher_ = teacher_config(GetParam());
  std::filesystem::path weights_ = save_teacher(folder_.path(), teacher_, data_.dataset());
};

TEST_P(ModelsBeside, AreEvaluatedBetweenStepsAndChangeNoneOfThem) {
  const std::string alone = trained_alone(student_, data_.dataset());
  const auto expected = evaluate(world(), {weights_, data_.dataset().path()}).held_out;
  ASSERT_GT(expected.loss, 0.0);

  Pair pair{student_, teacher_of(teacher_), weights_, data_.dataset()};
  BatchLoader loader{data_.dataset(), pair.teacher.transformer().shape()};
  const std::string beside = trained(pair.training, nullptr, [&] {
    const auto found = validate(world(), data_.dataset(), pair.teacher, loader);
    EXPECT_EQ(found.loss, expected.loss);
    EXPECT_EQ(found.bits_per_byte, expected.bits_per_byte);
    (void)pair.training.text.evaluate();
  });
  EXPECT_EQ(beside, alone);
}

/// What a job of the teacher alone makes of the samples of the first steps.
double loss_of_samples(const ReadOnlyModel& model, const std::filesystem::path& weights,
                       const Config& config, const data::Dataset& dataset) {
  const Ranks ranks = settle_ranks(world(), config.parallel);
  Team team{ranks.thread_plan};
  ModelInJob alone{world(), make_blueprint(model, ranks, nullptr, &team), ranks.rank};
  const SavedModel saved = find_saved_model(world(), weights);
  alone.load_weights(world(), [&](const auto& table) { return saved.open(table); });
  const data::Sampler sampler{config.run.seed,
                              dataset.windows(data::Split::train, config.data.seq_len)};
  BatchLoader loader{dataset, model.shape};
  Teacher teacher{alone};
  deal(
      world(), alone.parameters(), alone.evaluation_program(), {kSteps * kLeaves},
      [&](std::size_t sample, std::size_t) {
        teacher.before_micro_batch(sample, loader.load_training(sampler, sample));
      },
      [&] { teacher.without_micro_batch(); });
  return teacher.total_loss();
}

TEST_P(ModelsBeside, TakeTurnsWithinAStep) {
  const std::string alone = trained_alone(student_, data_.dataset());
  const ReadOnlyModel beside = teacher_of(teacher_);
  const double expected = loss_of_samples(beside, weights_, student_, data_.dataset());

  Pair pair{student_, beside, weights_, data_.dataset()};
  Teacher teacher{pair.teacher};
  EXPECT_EQ(trained(pair.training, &teacher, [] {}), alone);
  EXPECT_EQ(teacher.total_loss(), expected);
}

INSTANTIATE_TEST_SUITE_P(Backends, ModelsBeside,
                         testing::Values(fsdp::Backend::region, fsdp::Backend::mpi),
                         [](const auto& backend) { return std::string{name_of(backend.param)}; });

}  // namespace
}  // namespace ballast::train
