#include "formats/huggingface/folder_sink.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "formats/huggingface/fixture_models.hpp"
#include "formats/huggingface/folder_weights.hpp"
#include "formats/huggingface/tensor_names.hpp"
#include "formats/huggingface/written_tensors.hpp"

namespace ballast::formats {
namespace {

class FolderSink : public testing::TestWithParam<model::NormPlacement> {};

TEST_P(FolderSink, WritesWhatFolderWeightsRead) {
  const test::TemporaryFolder folder;
  auto config = test::small_model();
  config.qk_norm = true;
  config.biases = {true, true, true};
  config.norm_placement = GetParam();
  const model::ParameterTable table{config};
  const SafetensorsPlan plan = plan_huggingface_weights(table, ElementType::fp32, 20'000);
  create_safetensors(plan, folder.path());
  HuggingFaceSink sink{table, plan, folder.path()};
  for (const auto& row : table.parameters()) {
    auto values = test::WrittenTensors::values_of(row.name, row.numel);
    values.resize(padded_numel(row.numel), 9.0f);  // padding goes nowhere
    for (std::size_t i = 0; i < row.granules(); ++i) {
      sink.write(row, {i, 1}, std::span{values}.subspan(i * kGranule, kGranule));
    }
  }
  sink.finish();
  HuggingFaceWeights weights{table, folder.path()};
  for (const auto& row : table.parameters()) {
    EXPECT_EQ(test::read_tensor(weights, row), test::WrittenTensors::values_of(row.name, row.numel))
        << row.name;
  }
}

INSTANTIATE_TEST_SUITE_P(Placements, FolderSink,
                         testing::Values(model::NormPlacement::pre, model::NormPlacement::both),
                         [](const auto& placement) {
                           return std::string{name_of(placement.param)};
                         });

TEST(TensorNames, AreThoseOfTransformers) {
  const HuggingFaceNames names{model::ParameterTable{test::small_model()}};
  EXPECT_EQ(names.of("embedding"), "model.embed_tokens.weight");
  EXPECT_EQ(names.of("final_norm"), "model.norm.weight");
  EXPECT_EQ(names.of("head"), "lm_head.weight");
  EXPECT_EQ(names.of("block.12.ffn_norm"), "model.layers.12.post_attention_layernorm.weight");
  for (const char* name : {"positions", "block.0.unknown", "block.0.ffn_output_norm"}) {
    EXPECT_EQ(test::code_of([&] { (void)names.of(name); }), ExitCode::internal) << name;
  }
}

TEST(TensorNames, MoreNormsHaveOtherNames) {
  auto config = test::small_model();
  config.norm_placement = model::NormPlacement::both;
  const HuggingFaceNames names{model::ParameterTable{config}};
  EXPECT_EQ(names.of("block.1.attention_norm"), "model.layers.1.input_layernorm.weight");
  EXPECT_EQ(names.of("block.1.attention_output_norm"),
            "model.layers.1.post_attention_layernorm.weight");
  EXPECT_EQ(names.of("block.1.ffn_norm"), "model.layers.1.pre_feedforward_layernorm.weight");
  EXPECT_EQ(names.of("block.1.ffn_output_norm"),
            "model.layers.1.post_feedforward_layernorm.weight");
}

}  // namespace
}  // namespace ballast::formats
