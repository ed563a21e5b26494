#include <algorithm>
#include <gtest/gtest.h>
#include <map>
#include <string>
#include <vector>

#include "base/text.hpp"
#include "checkpoint/fixture.hpp"
#include "support/world.hpp"
#include "train/engine_in_job.hpp"
#include "train/measure/span_names.hpp"
#include "train/offline/evaluate.hpp"
#include "train/plan_config.hpp"
#include "train/settings/identity.hpp"
#include "train/small_dataset.hpp"
#include "train/start/fingerprint.hpp"

namespace ballast::train {
namespace {

using test::world;

constexpr double kLr = 1e-3;
constexpr std::size_t kSteps = 3;
constexpr std::size_t kLeaves = 5;  // the last wave is short on two, three and four ranks

Config student_config(fsdp::Backend backend) {
  Config config;
  config.model = {.dim = 36, .layers = 3, .heads = 6, .kv_heads = 2, .ffn = 101};
  config.data.seq_len = 24;
  config.data.micro_batch = 1;
  config.data.global_batch = kLeaves;
  config.parallel.backend = backend;
  config.parallel.prefetch_units = backend == fsdp::Backend::mpi ? 1 : 0;
  return config;
}

/// Another shape, and other element types.
Config teacher_config(fsdp::Backend backend) {
  Config config = student_config(backend);
  config.model = {.dim = 48, .layers = 4, .heads = 4, .kv_heads = 4, .ffn = 130};
  config.precision.param = ElementType::bf16;
  return config;
}

ReadOnlyModel teacher_of(const Config& config) {
  return {.name = "teacher",
          .model = test::model_on_bytes(config),
          .shape = {config.data.micro_batch, config.data.seq_len},
          .precision = {config.precision.param, config.precision.residual}};
}

/// A teacher that was trained for a step, as a checkpoint. Returns its folder.
std::filesystem::path save_teacher(const std::filesystem::path& run_dir, Config config,
                                   const data::Dataset& dataset) {
  config.data.path = dataset.path();
  EngineInJob training{config, world(), dataset};
  auto state = training.initialise();
  training.engine.step(state, kLr);
  return checkpoint::save(world(), training.model.layout(), training.model.tensors(),
                          {.run_dir = run_dir,
                           .state = state,
                           .identity = make_identity(config, dataset.info()),
                           .numerics = numerics_fingerprint(training.model.gemm())})
      .folder;
}

/// A training, with a hand in every step for `guest` and `between` after it: each step's results
/// and the hash of the last state as text.
template <class Between>
std::string trained(EngineInJob& training, StepObserver* guest, Between&& between) {
  auto state = training.initialise();
  std::string text;
  for (std::size_t step = 0; step < kSteps; ++step) {
    const StepResult result = training.engine.step(state, kLr, {}, {guest});
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
    teacher.load_weights(world(), checkpoint::check(world(), weights));
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

/// Lets another model see each micro-batch before the one that trains does.
class Teacher final : public StepObserver {
 public:
  explicit Teacher(ModelInJob& model)
      : model_{&model},
        nll_(model.transformer().shape().tokens()),
        sums_{.loss = model.transformer().loss().no_sums()} {}

  void before_micro_batch(std::uint64_t, const model::Batch& batch) override {
    model_->parameters().begin_micro_batch(0, model_->evaluation_program());
    sums_.loss.merge(model_->transformer().forward(batch, model_->parameters(), nll_));
  }
  void without_micro_batch() override {
    model_->parameters().begin_micro_batch(0, model_->evaluation_program());
    model_->parameters().walk(model_->evaluation_program());
  }
  void before_blocks(std::span<const float>) override {}
  void after_block(std::size_t, std::span<const float>, const model::AttentionSignals&) override {}
  void add_gradient(std::size_t, std::span<float>) override {}

  /// Over the job. Collective.
  [[nodiscard]] double total_loss() {
    sums_.merge_over(world());
    return sums_.loss.mean();
  }

 private:
  ModelInJob* model_;
  std::vector<float> nll_;
  StepSums sums_;
};

/// What a job of the teacher alone makes of the samples of the first steps.
double loss_of_samples(const ReadOnlyModel& model, const std::filesystem::path& weights,
                       const Config& config, const data::Dataset& dataset) {
  const Ranks ranks = settle_ranks(world(), config.parallel);
  Team team{ranks.crew};
  ModelInJob alone{world(), make_blueprint(model, ranks, nullptr, &team), ranks.rank};
  alone.load_weights(world(), checkpoint::check(world(), weights));
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
  model.initialise(1);
  Teacher teacher{model};
  auto state = training.initialise();
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
