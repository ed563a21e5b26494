#include "formats/huggingface/folder_sink.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "formats/huggingface/fixture_models.hpp"
#include "formats/huggingface/folder_weights.hpp"
#include "formats/huggingface/tensor_names.hpp"
#include "formats/huggingface/written_tensors.hpp"

namespace ballast::formats {
namespace {

TEST(FolderSink, WritesWhatFolderWeightsRead) {
  const test::TemporaryFolder folder;
  auto config = test::small_model();
  config.qk_norm = true;
  config.biases = {true, true, true};
  const model::ParameterTable table{config};
  const SafetensorsPlan plan = plan_huggingface_weights(table, ElementType::fp32, 20'000);
  create_safetensors(plan, folder.path());
  HuggingFaceSink sink{plan, folder.path()};
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

TEST(TensorNames, AreThoseOfTransformers) {
  EXPECT_EQ(huggingface_name("embedding"), "model.embed_tokens.weight");
  EXPECT_EQ(huggingface_name("final_norm"), "model.norm.weight");
  EXPECT_EQ(huggingface_name("head"), "lm_head.weight");
  EXPECT_EQ(huggingface_name("block.12.ffn_norm"),
            "model.layers.12.post_attention_layernorm.weight");
  for (const char* name : {"positions", "block.0.unknown"}) {
    EXPECT_EQ(test::code_of([&] { (void)huggingface_name(name); }), ExitCode::internal) << name;
  }
}

}  // namespace
}  // namespace ballast::formats
