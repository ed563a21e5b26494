#include "formats/gguf/gguf_sink.hpp"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>

#include "base/error.hpp"
#include "formats/gguf/blocks/block_codec.hpp"
#include "formats/gguf/gguf_model_config.hpp"
#include "formats/gguf/gguf_weights.hpp"
#include "formats/gguf/written_gguf.hpp"
#include "formats/huggingface/fixture_models.hpp"
#include "formats/huggingface/model_config_json.hpp"
#include "support/bytes.hpp"
#include "support/temporary_folder.hpp"

namespace ballast::formats {
namespace {

using test::bytes_of_file;
using test::data_error_of;
using test::expect_contains;
using test::read_tensor;
using test::write_gguf;
using test::WrittenTensors;

/// A model whose rows are whole blocks of 32 elements and longer than half a granule.
model::ModelConfig wide_model() {
  model::ModelConfig config = test::small_model();
  config.dim = 576;
  config.heads = 9;
  config.kv_heads = 3;
  config.ffn = 768;
  config.context = 64;
  return config;
}

/// Of every matrix, as uneven as it is in real models.
GgufImportance importance_of(const model::ModelConfig& config) {
  GgufImportance importance;
  const model::ParameterTable table{config};
  for (const auto& row : table.parameters()) {
    if (row.shape.size() != 2) continue;
    auto& columns = importance[row.name];
    for (std::size_t i = 0; i < row.shape.back(); ++i) {
      columns.push_back(std::exp2f(static_cast<float>(i * i % 23) - 11.0f));
    }
  }
  return importance;
}

class GgufFixtures : public testing::TestWithParam<std::string> {};

TEST_P(GgufFixtures, ComeBackToTheBit) {
  const auto source = test::fixture_model(GetParam());
  model::ModelConfig config = read_huggingface_config(source).model;
  if (GetParam() == "mistral-window8") {
    EXPECT_THROW((void)gguf_architecture_of(config), Error);
    config.context = config.window.tokens;  // then the window changes nothing
  }
  const model::ParameterTable table{config};
  HuggingFaceWeights theirs{table, source};
  const test::TemporaryFolder folder;
  const auto path = folder / "m.gguf";
  const GgufPlan plan{config, table, GgufFileType::f32};
  GgufSink sink{plan, create_gguf(plan, {}, path), path};
  for (const auto& row : table.parameters()) {
    std::vector<float> values(padded_numel(row.numel));
    theirs.read(row, {0, row.granules()}, values);
    sink.write(row, {0, row.granules()}, values);
  }
  sink.finish();
  const model::ModelConfig read = read_gguf_model(GgufFile{path}).model;
  const model::ParameterTable again{read};
  GgufWeights weights{again, path};
  ASSERT_EQ(again.parameters().size(), table.parameters().size());
  for (const auto& row : again.parameters()) {
    EXPECT_EQ(read_tensor(weights, row), read_tensor(theirs, row)) << row.name;
  }
}

INSTANTIATE_TEST_SUITE_P(All, GgufFixtures, testing::ValuesIn(test::fixture_models()),
                         [](const auto& model) { return test::test_name(model.param); });

TEST(GgufSink, QueriesAndKeysStandPairByPair) {
  const test::TemporaryFolder folder;
  auto config = test::with_context(test::small_model());  // heads of 8 elements
  config.biases.qkv = config.biases.attention_output = true;
  write_gguf(config, folder / "m.gguf");
  const GgufFile file{folder / "m.gguf"};
  for (const auto& [ours, theirs, columns] : {std::tuple{"block.1.wq", "blk.1.attn_q.weight", 32u},
                                              std::tuple{"block.1.wk", "blk.1.attn_k.weight", 32u},
                                              std::tuple{"block.0.bq", "blk.0.attn_q.bias", 1u}}) {
    const auto values = WrittenTensors::values_of(ours, std::size_t{32} * columns);
    std::vector<float> stored(values.size());
    file.read(theirs, 0, stored);
    for (std::size_t row = 0; row < 32; ++row) {
      const std::size_t head = row / 8;
      const std::size_t i = row % 8;
      const std::size_t in_file = head * 8 + (i < 4 ? 2 * i : 2 * (i - 4) + 1);
      for (std::size_t k = 0; k < columns; ++k) {
        ASSERT_EQ(stored[in_file * columns + k], values[row * columns + k]) << ours << " " << row;
      }
    }
  }
  const auto values = WrittenTensors::values_of("block.0.wv", 32 * 32);
  std::vector<float> stored(values.size());
  file.read("blk.0.attn_v.weight", 0, stored);
  EXPECT_EQ(stored, values);
}

class GgufTypes : public testing::TestWithParam<GgufFileType> {};

TEST_P(GgufTypes, HaveTheSameBytesHoweverRangesAreCut) {
  const test::TemporaryFolder folder;
  write_gguf(wide_model(), folder / "whole", GetParam(), 1'000'000);
  const std::string whole = bytes_of_file(folder / "whole");
  for (const std::size_t granules : {1u, 2u, 7u}) {
    write_gguf(wide_model(), folder / "parts", GetParam(), granules);
    EXPECT_TRUE(bytes_of_file(folder / "parts") == whole) << granules;
  }
}

TEST_P(GgufTypes, HaveTheSameBytesHoweverWeighedRangesAreCut) {
  const test::TemporaryFolder folder;
  const auto importance = importance_of(wide_model());
  write_gguf(wide_model(), folder / "whole", GetParam(), 1'000'000, importance);
  const std::string whole = bytes_of_file(folder / "whole");
  for (const std::size_t granules : {1u, 2u, 7u}) {
    write_gguf(wide_model(), folder / "parts", GetParam(), granules, importance);
    EXPECT_EQ(bytes_of_file(folder / "parts"), whole) << granules;
  }
  write_gguf(wide_model(), folder / "plain", GetParam());
  EXPECT_EQ(bytes_of_file(folder / "plain") != whole, looks_at_importance(GetParam()));
}

TEST_P(GgufTypes, ComeBackNearToWhatTheyWere) {
  const test::TemporaryFolder folder;
  const auto path = folder / "m.gguf";
  write_gguf(wide_model(), path, GetParam());
  const model::ParameterTable table{read_gguf_model(GgufFile{path}).model};
  GgufWeights weights{table, path};
  for (const auto& row : table.parameters()) {
    const auto values = WrittenTensors::values_of(row.name, row.numel);
    const auto read = read_tensor(weights, row);
    double error = 0.0, all = 0.0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      error += std::pow(static_cast<double>(read[i] - values[i]), 2);
      all += std::pow(static_cast<double>(values[i]), 2);
    }
    const bool is_exact = row.shape.size() == 1 || GetParam() == GgufFileType::f32;
    EXPECT_LE(std::sqrt(error / all), is_exact ? 0.0 : 0.1) << row.name;
  }
}

INSTANTIATE_TEST_SUITE_P(All, GgufTypes, testing::ValuesIn([] {
                           std::vector<GgufFileType> all;
                           for (const auto& row : names<GgufFileType>()) all.push_back(row.value);
                           return all;
                         }()),
                         [](const auto& type) { return std::string{word_of(type.param)}; });

TEST(GgufSink, WantsWholeRowsWhereBlocksDependOnThem) {
  const test::TemporaryFolder folder;
  const auto path = folder / "m.gguf";
  const model::ParameterTable table{wide_model()};
  const auto together = [&](GgufFileType type, const GgufImportance& importance,
                            const char* tensor) {
    const GgufPlan plan{wide_model(), table, type, importance};
    const GgufSink sink{plan, create_gguf(plan, {}, path), path};
    std::filesystem::remove(path);
    return sink.granules_together(table.find(tensor));
  };
  const auto importance = importance_of(wide_model());
  EXPECT_EQ(together(GgufFileType::q4_0, importance, "block.0.wq"), 9u) << "16 rows of 576";
  EXPECT_EQ(together(GgufFileType::q4_0, importance, "block.0.w_down"), 3u) << "4 rows of 768";
  EXPECT_EQ(together(GgufFileType::q4_0, importance, "final_norm"), 1u);
  EXPECT_EQ(together(GgufFileType::q4_0, {}, "block.0.wq"), 1u);
  EXPECT_EQ(together(GgufFileType::q8_0, importance, "block.0.wq"), 1u);
}

TEST(GgufSink, ARangeThatCutsARowIsRefused) {
  const test::TemporaryFolder folder;
  const auto path = folder / "m.gguf";
  const model::ParameterTable table{wide_model()};
  const GgufPlan plan{wide_model(), table, GgufFileType::q4_0, importance_of(wide_model())};
  GgufSink sink{plan, create_gguf(plan, {}, path), path};
  const std::vector<float> values(kGranule, 0.5f);
  EXPECT_THROW(sink.write(table.find("block.0.wq"), {0, 1}, values), Error);
}

TEST(GgufSink, GainsAreStoredWithTheirOffset) {
  const test::TemporaryFolder folder;
  const auto path = folder / "m.gguf";
  auto config = test::with_context(test::small_model());
  config.gain_offset = true;
  write_gguf(config, path);
  const auto values = WrittenTensors::values_of("final_norm", 32);
  std::vector<float> stored(32);
  GgufFile{path}.read("output_norm.weight", 0, stored);
  for (std::size_t i = 0; i < 32; ++i) EXPECT_EQ(stored[i], 1.0f + values[i]);
}

TEST(GgufSink, ValuesBeyondTheTypeAreNamed) {
  const test::TemporaryFolder folder;
  const auto path = folder / "m.gguf";
  const auto config = test::with_context(test::small_model());
  const model::ParameterTable table{config};
  const GgufPlan plan{config, table, GgufFileType::f16};
  GgufSink sink{plan, create_gguf(plan, {}, path), path};
  std::vector<float> values(kGranule, 0.5f);
  values[77] = -70'000.0f;
  const auto message = data_error_of([&] { sink.write(table.find("embedding"), {1, 1}, values); });
  expect_contains(message, "element 1101 of tensor 'token_embd.weight' is -70000");
  expect_contains(message, path.string());
  expect_contains(message, "which no block of f16 holds");
  values[77] = std::numeric_limits<float>::infinity();
  expect_contains(data_error_of([&] {
                    sink.write(table.find("embedding"), {1, 1}, values);
                  }),
                  "is inf: a model with such weights is not exported");
}

TEST(GgufSink, AFileOfAnotherPlanIsNotWritten) {
  const test::TemporaryFolder folder;
  const auto config = test::with_context(test::small_model());
  const model::ParameterTable table{config};
  const GgufPlan plan{config, table, GgufFileType::f32};
  const GgufPlan other{config, table, GgufFileType::f16};
  const auto begin = create_gguf(plan, {}, folder / "m.gguf");
  expect_contains(data_error_of([&] { GgufSink(other, begin, folder / "m.gguf"); }),
                  "give all writers one plan");
}

TEST(GgufSink, ImportanceWeighsTheColumnsOfItsTensor) {
  const test::TemporaryFolder folder;
  const auto config = wide_model();
  const model::ParameterTable table{config};
  std::vector<float> importance(576);
  for (std::size_t i = 0; i < importance.size(); ++i) importance[i] = i % 7 == 0 ? 9.0f : 0.1f;
  const GgufPlan plan{config, table, GgufFileType::q4_0, {{"block.0.wq", importance}}};
  const auto path = folder / "m.gguf";
  GgufSink sink{plan, create_gguf(plan, {}, path), path};
  const auto& row = table.find("block.0.wq");
  const auto values = WrittenTensors::values_of(row.name, row.numel);
  sink.write(row, {0, row.granules()}, values);
  EXPECT_EQ(test::code_of([&] {
              sink.write(row, {0, 1}, std::span{values}.first(kGranule));
            }),
            ExitCode::internal)
      << "a row of 576 is cut";
  sink.finish();
  const model::ParameterTable again{read_gguf_model(GgufFile{path}).model};
  GgufWeights weights{again, path};
  const auto read = read_tensor(weights, again.find("block.0.wq"));
  std::vector<std::uint8_t> blocks(stored_bytes(BlockType::q4_0, 576));
  std::vector<float> expected(576);
  for (const std::size_t i : {0u, 70u, 575u}) {
    const auto one = std::span{values}.subspan(i * 576, 576);
    ASSERT_FALSE(quantize_weighted(BlockType::q4_0, one, importance, blocks));
    dequantize(BlockType::q4_0, blocks, expected);
    EXPECT_TRUE(std::equal(expected.begin(), expected.end(),
                           read.begin() + static_cast<std::ptrdiff_t>(i * 576)));
  }
}

TEST(GgufSink, ImportanceIsOfTheModel) {
  const auto config = wide_model();
  const model::ParameterTable table{config};
  const auto refuse = [&](const GgufImportance& importance) {
    return data_error_of([&] { GgufPlan(config, table, GgufFileType::q4_0, importance); });
  };
  expect_contains(refuse({{"block.7.wq", std::vector<float>(576)}}), "'block.7.wq'");
  expect_contains(refuse({{"block.0.wq", std::vector<float>(575)}}), "has 575 columns");
  expect_contains(refuse({{"block.0.bq", std::vector<float>(576)}}), "'block.0.bq'");
}

TEST(GgufWeights, NameWhatIsMissingAndWhatIsNotOfTheModel) {
  const test::TemporaryFolder folder;
  const auto path = folder / "m.gguf";
  auto config = test::with_context(test::small_model());
  config.biases.qkv = config.biases.attention_output = true;
  write_gguf(config, path);
  config.biases = {};
  config.ffn = 48;
  config.layers = 3;
  const model::ParameterTable table{config};
  const auto message = data_error_of([&] { GgufWeights(table, path); });
  expect_contains(message, "missing (9): blk.2.attn_k.weight, ");
  expect_contains(message, "not of this model (8): ");
  expect_contains(message, "blk.0.ffn_down.weight [32, 40] where its metadata says [32, 48]");
}

}  // namespace
}  // namespace ballast::formats
