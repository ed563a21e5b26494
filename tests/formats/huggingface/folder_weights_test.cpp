#include "formats/huggingface/folder_weights.hpp"

#include <algorithm>
#include <gtest/gtest.h>

#include "base/json.hpp"
#include "formats/huggingface/fixture_models.hpp"
#include "formats/huggingface/model_config_json.hpp"
#include "formats/huggingface/tensor_names.hpp"
#include "formats/huggingface/written_tensors.hpp"
#include "formats/safetensors/made_up.hpp"

namespace ballast::formats {
namespace {

using test::data_error_of;
using test::expect_contains;
using test::read_tensor;
using test::small_model;
using test::TemporaryFolder;
using test::WrittenTensors;

class FolderWeights : public testing::Test {
 protected:
  void use(const model::ModelConfig& config) {
    table_.emplace(config);
    tensors_.emplace(*table_);
  }
  void SetUp() override { use(small_model()); }
  void write() { tensors_->write(folder_.path()); }
  /// The message that a folder of these tensors is refused with.
  std::string error() {
    write();
    const auto message = data_error_of([&] { HuggingFaceWeights{*table_, folder_.path()}; });
    expect_contains(message, folder_.path().string());
    return message;
  }

  TemporaryFolder folder_;
  std::optional<model::ParameterTable> table_;
  std::optional<WrittenTensors> tensors_;
};

TEST_F(FolderWeights, EveryTensorComesByItsName) {
  write();
  HuggingFaceWeights weights{*table_, folder_.path()};
  for (const auto& row : table_->parameters()) {
    EXPECT_EQ(read_tensor(weights, row),
              WrittenTensors::values_of(HuggingFaceNames{*table_}.of(row.name), row.numel))
        << row.name;
  }
}

TEST_F(FolderWeights, GranulesComeOneByOneAndPaddingIsZero) {
  write();
  HuggingFaceWeights weights{*table_, folder_.path()};
  const auto& row = table_->find("embedding");
  ASSERT_EQ(row.numel, 2240u);
  const auto all = read_tensor(weights, row);
  std::vector<float> granule(kGranule);
  for (std::size_t i = 0; i < 3; ++i) {
    std::ranges::fill(granule, 7.0f);
    weights.read(row, {i, 1}, granule);
    for (std::size_t k = 0; k < kGranule; ++k) {
      const std::size_t element = i * kGranule + k;
      ASSERT_EQ(granule[k], element < row.numel ? all[element] : 0.0f) << element;
    }
  }
}

TEST_F(FolderWeights, MissingTensorsAreNamedAndCounted) {
  tensors_->erase("model.layers.1.mlp.up_proj.weight");
  expect_contains(error(), "missing (1): model.layers.1.mlp.up_proj.weight");
  for (const char* matrix : {"q", "k", "v", "o"}) {
    for (const char* layer : {"0", "1"}) {
      tensors_->erase(fmt::format("model.layers.{}.self_attn.{}_proj.weight", layer, matrix));
    }
  }
  const auto message = error();
  expect_contains(message, "missing (9): model.layers.0.self_attn.k_proj.weight, ");
  expect_contains(message, " and 4 more");
  EXPECT_EQ(message.find("layers.1.self_attn"), std::string::npos) << "five are named";
}

TEST_F(FolderWeights, AMissingHeadIsNoTiedOne) {
  tensors_->erase("lm_head.weight");
  expect_contains(error(), "missing (1): lm_head.weight");
}

TEST_F(FolderWeights, TensorsOfOtherModelsAreNamedAndCounted) {
  tensors_->add("model.layers.2.input_layernorm.weight", {32});
  tensors_->add("model.layers.0.self_attn.q_proj.bias", {32});
  expect_contains(error(),
                  "not of this model (2): model.layers.0.self_attn.q_proj.bias, "
                  "model.layers.2.input_layernorm.weight");
}

TEST_F(FolderWeights, NamesOfAFileDoNotReachTheTerminal) {
  test::write_bytes(folder_ / "model.safetensors",
                    test::one_tensor("\\u001b[2J" + std::string(900, 'n'), {1.0f}));
  const auto message = data_error_of([&] { HuggingFaceWeights{*table_, folder_.path()}; });
  expect_contains(message, "missing (21): ");
  expect_contains(message, "not of this model (1): \\x1b[2Jnnn");
  EXPECT_EQ(message.find('\x1b'), std::string::npos);
  EXPECT_LT(message.size(), 900u);
}

TEST_F(FolderWeights, OtherShapesAreNamed) {
  tensors_->add("model.embed_tokens.weight", {72, 32});
  tensors_->add("model.norm.weight", {32, 1});
  tensors_->add("model.layers.0.mlp.down_proj.weight", {40, 32});
  const auto message = error();
  expect_contains(message, "of another shape (3): ");
  expect_contains(message, "model.embed_tokens.weight [72, 32] where config.json says [70, 32]");
  expect_contains(message, "model.norm.weight [32, 1] where config.json says [32]");
  expect_contains(message, "mlp.down_proj.weight [40, 32] where config.json says [32, 40]");
}

TEST_F(FolderWeights, WhatReadersComputeThemselvesIsIgnored) {
  tensors_->add("model.layers.0.self_attn.rotary_emb.inv_freq", {4});
  tensors_->add("model.layers.1.self_attn.rotary_emb.inv_freq", {4});
  write();
  HuggingFaceWeights weights{*table_, folder_.path()};
  EXPECT_EQ(read_tensor(weights, table_->find("final_norm")),
            WrittenTensors::values_of("model.norm.weight", 32));
}

model::ModelConfig tied_model() {
  auto config = small_model();
  config.tie_embeddings = true;
  return config;
}

TEST_F(FolderWeights, ATiedModelNeedsNoHead) {
  use(tied_model());
  write();
  HuggingFaceWeights weights{*table_, folder_.path()};
  EXPECT_EQ(read_tensor(weights, table_->find("embedding")),
            WrittenTensors::values_of("model.embed_tokens.weight", 2240));
}

TEST_F(FolderWeights, ATiedModelMayHaveAnEqualHead) {
  use(tied_model());
  tensors_->add("lm_head.weight", {70, 32});
  tensors_->write(folder_.path(), "lm_head.weight", "model.embed_tokens.weight");
  HuggingFaceWeights weights{*table_, folder_.path()};
  EXPECT_EQ(read_tensor(weights, table_->find("embedding")),
            WrittenTensors::values_of("model.embed_tokens.weight", 2240));
}

TEST_F(FolderWeights, ATiedModelMayNotHaveAnotherHead) {
  use(tied_model());
  tensors_->add("lm_head.weight", {70, 32});
  write();
  HuggingFaceWeights weights{*table_, folder_.path()};
  const auto message =
      data_error_of([&] { (void)read_tensor(weights, table_->find("embedding")); });
  expect_contains(message, folder_.path().string());
  expect_contains(message, "lm_head.weight is another matrix than model.embed_tokens.weight");
  expect_contains(message, "(element 0)");
}

TEST_F(FolderWeights, ASpareHeadHasTheShapeOfTheEmbedding) {
  use(tied_model());
  tensors_->add("lm_head.weight", {72, 32});
  expect_contains(error(), "lm_head.weight [72, 32] where config.json says [70, 32]");
}

TEST_F(FolderWeights, QuantizedTensorsAreRefused) {
  model::ModelConfig config;
  config.vocabulary = config.dim = config.heads = config.kv_heads = config.ffn = 2;
  config.heads = config.kv_heads = 1;
  config.layers = 1;
  config.tie_embeddings = true;
  const model::ParameterTable table{config};
  Json header = Json::object();
  std::size_t offset = 0;
  for (const auto& row : table.parameters()) {
    const bool is_matrix = row.name == "block.0.w_up";
    const std::size_t bytes = row.numel * (is_matrix ? 1 : 2);
    header[HuggingFaceNames{table}.of(row.name)] = {{"dtype", is_matrix ? "F8_E4M3" : "BF16"},
                                                    {"shape", row.shape},
                                                    {"data_offsets", {offset, offset + bytes}}};
    offset += bytes;
  }
  test::write_bytes(folder_ / "model.safetensors",
                    test::safetensors(header.dump(), std::string(offset, '\0')));
  const auto message = data_error_of([&] { HuggingFaceWeights{table, folder_.path()}; });
  expect_contains(message, "model.layers.0.mlp.up_proj.weight' is F8_E4M3");
}

// As huggingface_hub downloads it: links to files that their hashes name.
TEST(CachedModel, ConfigurationAndWeightsAreReadThroughLinks) {
  const TemporaryFolder cache;
  const auto model = cache / "models--owner--name";
  const auto snapshot = model / "snapshots" / "c0ffee";
  std::filesystem::create_directories(snapshot);
  std::filesystem::create_directory(model / "blobs");
  for (const std::string file : {"config.json", "model.safetensors"}) {
    const auto blob = model / "blobs" / ("hash of " + file);
    std::filesystem::copy_file(test::fixture_model("qwen3") / file, blob);
    std::filesystem::create_symlink(std::filesystem::path{"../../blobs"} / blob.filename(),
                                    snapshot / file);
  }
  const model::ParameterTable table{read_huggingface_config(snapshot).model};
  EXPECT_EQ(test::read_weights(table, snapshot),
            test::read_weights(table, test::fixture_model("qwen3")));
}

}  // namespace
}  // namespace ballast::formats
