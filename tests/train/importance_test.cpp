#include "train/offline/importance.hpp"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <numeric>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "checkpoint/fixture.hpp"
#include "data/sampler.hpp"
#include "formats/huggingface/fixture_models.hpp"
#include "reference/model.hpp"
#include "train/offline/input_squares.hpp"
#include "train/saved_teacher.hpp"
#include "train/small_dataset.hpp"

namespace ballast::train {
namespace {

using test::world;

constexpr std::size_t kSeqLen = 24;  // of student_config
constexpr std::size_t kWindows = 7;  // the last wave is short on two, three and four ranks

/// The windows that are read, as one batch of the reference.
reference::Batch text_of(const data::Dataset& dataset) {
  reference::Batch batch{kWindows, kSeqLen, {}, {}, {}, {}, {}};
  const data::Sampler sampler{0, dataset.windows(data::Split::train, kSeqLen)};
  std::vector<std::int32_t> ids(kSeqLen), labels(kSeqLen), segments(kSeqLen);
  std::vector<float> weights(kSeqLen);
  for (std::size_t i = 0; i < kWindows; ++i) {
    dataset.read_window(data::Split::train, kSeqLen, sampler.window(i),
                        {ids, labels, segments, weights});
    batch.ids.insert(batch.ids.end(), ids.begin(), ids.end());
    batch.labels.insert(batch.labels.end(), labels.begin(), labels.end());
    batch.segments.insert(batch.segments.end(), segments.begin(), segments.end());
    for (std::size_t t = 0; t < kSeqLen; ++t) {
      batch.positions.push_back(static_cast<std::int32_t>(t));
    }
  }
  return batch;
}

/// The plain mean of squares, column by column.
reference::Parameters<double> expected_importance(const SavedModel& saved,
                                                  const reference::Batch& text) {
  const model::ParameterTable table{saved.model()};
  const auto source = saved.open(table);
  reference::Parameters<double> values;
  for (const auto& row : table.parameters()) {
    const auto tensor = test::read_tensor(*source, row);
    values[row.name].assign(tensor.begin(), tensor.end());
  }
  reference::Parameters<double> importance;
  reference::Model<double> oracle{saved.model(), std::move(values)};
  oracle.on_linear([&](const std::string& weight, const std::vector<double>& x) {
    auto& means = importance[weight];
    means.assign(table.find(weight).shape.back(), 0.0);
    for (std::size_t i = 0; i < x.size(); ++i) {
      means[i % means.size()] += x[i] * x[i] / static_cast<double>(kWindows * kSeqLen);
    }
  });
  (void)oracle.logits(text);
  return importance;
}

class Importance : public testing::TestWithParam<bool> {
 protected:
  [[nodiscard]] static Config config() {
    Config config = student_config(fsdp::Backend::region);
    config.model.tie_embeddings = GetParam();
    return config;
  }

  SmallDataset data_{data::SplitRule::tail};
  checkpoint::SharedFolder folder_{world()};
  std::filesystem::path weights_ = save_teacher(folder_.path(), config(), data_.dataset());
};

TEST_P(Importance, IsTheMeanSquareOfWhatColumnsAreMultipliedWith) {
  const SavedModel saved = find_saved_model(world(), weights_);
  const auto found = measure_importance(world(), saved, {data_.dataset().path(), kWindows});
  EXPECT_EQ(found.windows, kWindows);
  EXPECT_EQ(found.seq_len, kSeqLen);
  const auto expected = expected_importance(saved, text_of(data_.dataset()));
  ASSERT_EQ(found.columns.size(), expected.size());
  EXPECT_EQ(found.columns.size(), 7 * saved.model().layers + 1);
  for (const auto& [name, means] : expected) {
    const auto& columns = found.columns.at(name);
    ASSERT_EQ(columns.size(), means.size()) << name;
    for (std::size_t i = 0; i < means.size(); ++i) {
      EXPECT_NEAR(columns[i], means[i], 1e-5 * means[i]) << name << " " << i;
    }
  }
}

TEST_P(Importance, HasTheSameBitsAtAnyNumberOfRanks) {
  auto alone = world().split(world().rank());
  const CalibrationText text{data_.dataset().path(), kWindows};
  const auto expected = measure_importance(alone, find_saved_model(alone, weights_), text).columns;
  for (int ranks = 2; ranks <= world().size(); ++ranks) {
    checkpoint::on_ranks(ranks, [&](comm::Communicator& part) {
      EXPECT_EQ(measure_importance(part, find_saved_model(part, weights_), text).columns, expected);
    });
  }
}

INSTANTIATE_TEST_SUITE_P(Models, Importance, testing::Bool(),
                         [](const auto& is_tied) { return is_tied.param ? "tied" : "untied"; });

TEST(ImportanceOfText, IsMeasuredOnAsMuchAsThereIs) {
  const SmallDataset data;
  const checkpoint::SharedFolder folder{world()};
  Config config = student_config(fsdp::Backend::region);
  config.model = {.dim = 8, .layers = 1, .heads = 1, .kv_heads = 1, .ffn = 8};
  config.data.seq_len = 500;
  const auto weights = save_teacher(folder.path(), config, data.dataset());
  const SavedModel saved = find_saved_model(world(), weights);
  const std::size_t all = data.dataset().windows(data::Split::train, 500);
  EXPECT_EQ(measure_importance(world(), saved, {data.dataset().path(), 3}).windows, 3u);
  EXPECT_EQ(measure_importance(world(), saved, {data.dataset().path(), 1000}).windows, all);
  const std::size_t usual = measure_importance(world(), saved, {data.dataset().path(), {}}).windows;
  EXPECT_EQ(usual, std::min<std::size_t>(all, 263));  // 131,072 tokens
}

/// Sums of made-up inputs, which only the first rank sees.
class Squares : public testing::Test {
 protected:
  void show(std::size_t tensor, const std::vector<float>& input) {
    if (world().is_root()) squares_.before_linear(0, {0, tensor}, ConstElements{std::span{input}});
  }
  [[nodiscard]] formats::GgufImportance means(std::size_t tokens) {
    squares_.add_wave(world(), 1);
    return squares_.means(world(), tokens);
  }

  model::ParameterTable table_{{.vocabulary = 5, .dim = 4, .layers = 1, .heads = 2, .ffn = 3}};
  InputSquares squares_{world(), table_};
};

TEST_F(Squares, AColumnThatNothingReachesKeepsALittle) {
  show(0, {1.0f, 0.0f, 2.0f, 0.0f, 3.0f, 0.0f, 0.0f, 1e-9f});
  const auto found = means(2);
  const float least = 14.0f / 4.0f / 2.0f * 0x1p-20f;
  EXPECT_EQ(found.at("block.0.wq"), (std::vector{5.0f, least, 2.0f, least}));
  EXPECT_EQ(found.size(), 1u) << "nothing was seen of the other tensors";
}

/// One by one the small batches vanish beside the first; together they would push the sum over the
/// middle between two floats.
TEST_F(Squares, BatchesAreAddedInTheirOrder) {
  const std::vector<float> large{0x1p27f, 0.0f, 0.0f, 0.0f, 0x1p15f, 0.0f, 0.0f, 0.0f};
  const std::vector<float> small{1.25f, 0.0f, 0.0f, 0.0f};
  const auto ranks = static_cast<std::size_t>(world().size());
  const auto rank = static_cast<std::size_t>(world().rank());
  constexpr std::size_t kBatches = 4;
  for (std::size_t first = 0; first < kBatches; first += ranks) {
    const std::size_t batches = std::min(ranks, kBatches - first);
    const std::vector<float>& own = first + rank == 0 ? large : small;
    if (rank < batches) squares_.before_linear(0, {0, 0}, ConstElements{std::span{own}});
    squares_.add_wave(world(), batches);
  }
  EXPECT_EQ(squares_.means(world(), 1).at("block.0.wq").front(), 0x1p54f);
}

TEST_F(Squares, AnInputThatIsNotFiniteIsNamed) {
  show(1, {1.0f, 0.0f, std::nanf(""), 0.0f});
  const auto message = checkpoint::error_on_all_ranks(world(), [&] { (void)means(1); });
  EXPECT_NE(message.find("column 2 of 'block.0.wk'"), std::string::npos) << message;
}

}  // namespace
}  // namespace ballast::train
