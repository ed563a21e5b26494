#include "formats/gguf/blocks/tensor_type.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <map>
#include <string>

#include "base/error.hpp"

namespace ballast::formats {
namespace {

using enum BlockType;

ModelTraits llama(std::size_t layers) {
  return {.architecture = "llama", .layers = layers, .heads = 32, .kv_heads = 8};
}

BlockType type_in(GgufFileType file_type, const ModelTraits& model, std::string_view name,
                  std::uint64_t row = 2048) {
  return tensor_type(file_type, model, {.name = name, .dimensions = 2, .row = row});
}

/// The types of one matrix of every layer.
std::vector<BlockType> by_layer(GgufFileType file_type, const ModelTraits& model,
                                std::string_view name) {
  std::vector<BlockType> types;
  for (std::size_t layer = 0; layer < model.layers; ++layer) {
    types.push_back(type_in(file_type, model, fmt::format("blk.{}.{}", layer, name)));
  }
  return types;
}

TEST(TensorType, VectorsAndNormsAreF32InEveryFile) {
  for (const auto& [file_type, word] : names<GgufFileType>()) {
    const auto type_of = [file = file_type](std::string_view name, std::size_t dimensions) {
      return tensor_type(file, llama(2), {.name = name, .dimensions = dimensions, .row = 2048});
    };
    EXPECT_EQ(type_of("blk.0.attn_norm.weight", 1), f32) << word;
    EXPECT_EQ(type_of("blk.0.attn_q_norm.weight", 2), f32) << word;
    EXPECT_EQ(type_of("blk.1.attn_q.bias", 1), f32) << word;
    EXPECT_EQ(type_of("rope_freqs.weight", 1), f32) << word;
  }
}

TEST(TensorType, PlainFilesHoldOneTypeOfMatrices) {
  for (const auto& [file_type, type] :
       {std::pair{GgufFileType::f32, f32}, std::pair{GgufFileType::f16, f16},
        std::pair{GgufFileType::bf16, bf16}}) {
    EXPECT_EQ(type_in(file_type, llama(2), "output.weight", 33), type);
    EXPECT_EQ(type_in(file_type, llama(2), "blk.0.ffn_down.weight", 33), type);
  }
}

TEST(TensorType, TheOutputHeadGetsSixBits) {
  auto model = llama(2);
  EXPECT_EQ(type_in(GgufFileType::q4_0, model, "output.weight"), q6_k);
  EXPECT_EQ(type_in(GgufFileType::q4_0, model, "token_embd.weight"), q4_0);
  EXPECT_EQ(type_in(GgufFileType::q8_0, model, "output.weight"), q8_0);
  EXPECT_EQ(type_in(GgufFileType::q4_0, model, "output.weight", 96), q8_0) << "fallback of q6_k";
  EXPECT_EQ(type_in(GgufFileType::q5_k_m, model, "output.weight", 96), q8_0);
  EXPECT_EQ(type_in(GgufFileType::q5_k_m, model, "output.weight", 33), f16);
  model.is_tied = true;
  EXPECT_EQ(type_in(GgufFileType::q4_k_m, model, "token_embd.weight"), q6_k);
}

TEST(TensorType, MixtureMGivesMoreBitsToSomeLayers) {
  const std::vector<BlockType> expected{q6_k, q6_k, q4_k, q4_k, q6_k, q4_k, q4_k, q6_k,
                                        q4_k, q4_k, q6_k, q4_k, q4_k, q6_k, q6_k, q6_k};
  EXPECT_EQ(by_layer(GgufFileType::q4_k_m, llama(16), "attn_v.weight"), expected);
  EXPECT_EQ(by_layer(GgufFileType::q4_k_m, llama(16), "ffn_down.weight"), expected);
  EXPECT_EQ(by_layer(GgufFileType::q5_k_m, llama(4), "ffn_down.weight"),
            (std::vector{q5_k, q5_k, q6_k, q6_k}));
  EXPECT_EQ(type_in(GgufFileType::q4_k_m, llama(16), "blk.0.attn_k.weight"), q4_k);
}

TEST(TensorType, MixtureSGivesMoreBitsToTheFirstLayers) {
  EXPECT_EQ(by_layer(GgufFileType::q4_k_s, llama(6), "attn_v.weight"),
            (std::vector{q5_k, q5_k, q5_k, q5_k, q4_k, q4_k}));
  EXPECT_EQ(by_layer(GgufFileType::q4_k_s, llama(9), "ffn_down.weight"),
            (std::vector{q5_k, q4_k, q4_k, q4_k, q4_k, q4_k, q4_k, q4_k, q4_k}));
  EXPECT_EQ(by_layer(GgufFileType::q5_k_s, llama(3), "attn_v.weight"),
            (std::vector{q5_k, q5_k, q5_k}));
}

TEST(TensorType, SeventyBillionParametersGetBetterValueProjections) {
  auto model = llama(80);
  EXPECT_EQ(type_in(GgufFileType::q4_k_m, model, "blk.10.attn_v.weight"), q5_k);
  EXPECT_EQ(type_in(GgufFileType::q4_k_m, model, "blk.12.attn_v.weight"), q6_k);
  EXPECT_EQ(type_in(GgufFileType::q4_k_m, model, "blk.10.ffn_down.weight"), q4_k);
  EXPECT_EQ(type_in(GgufFileType::q4_0, model, "blk.10.attn_v.weight"), q4_0);
  model.kv_heads = model.heads;
  EXPECT_EQ(type_in(GgufFileType::q4_k_m, model, "blk.10.attn_v.weight"), q4_k);
  model.architecture = "qwen2";
  EXPECT_EQ(type_in(GgufFileType::q4_k_m, model, "blk.10.attn_v.weight"), q5_k);
  model.architecture = "qwen3";
  EXPECT_EQ(type_in(GgufFileType::q4_k_m, model, "blk.10.attn_v.weight"), q4_k);
}

TEST(TensorType, WithAnImportanceMatrixTheFirstDownProjectionsHaveAMinimum) {
  auto model = llama(16);
  EXPECT_EQ(type_in(GgufFileType::q4_0, model, "blk.1.ffn_down.weight"), q4_0);
  model.is_weighted = true;
  EXPECT_EQ(type_in(GgufFileType::q4_0, model, "blk.1.ffn_down.weight"), q4_1);
  EXPECT_EQ(type_in(GgufFileType::q5_0, model, "blk.1.ffn_down.weight"), q5_1);
  EXPECT_EQ(type_in(GgufFileType::q4_0, model, "blk.2.ffn_down.weight"), q4_0);
}

TEST(TensorType, RowsThatDoNotFitGetSmallerBlocks) {
  EXPECT_EQ(type_in(GgufFileType::q4_k_m, llama(16), "blk.2.attn_q.weight", 576), q5_0);
  EXPECT_EQ(type_in(GgufFileType::q5_k_m, llama(16), "blk.2.attn_q.weight", 576), q5_1);
  EXPECT_EQ(type_in(GgufFileType::q6_k, llama(16), "blk.2.attn_q.weight", 576), q8_0);
  EXPECT_EQ(type_in(GgufFileType::q4_k_m, llama(16), "blk.2.attn_q.weight", 48), f16);
  EXPECT_EQ(type_in(GgufFileType::q4_0, llama(16), "blk.2.attn_q.weight", 48), f16);
}

TEST(TensorType, Smollm2OfThirtyLayersIsMixedAsLlamaCppMixesIt) {
  const ModelTraits model{
      .architecture = "llama", .layers = 30, .heads = 9, .kv_heads = 3, .is_tied = true};
  std::map<BlockType, int> counts;
  ++counts[type_in(GgufFileType::q4_k_m, model, "token_embd.weight", 576)];
  ++counts[tensor_type(GgufFileType::q4_k_m, model, {"output_norm.weight", 1, 576})];
  for (int layer = 0; layer < 30; ++layer) {
    for (const auto* name : {"attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up"}) {
      const auto full = fmt::format("blk.{}.{}.weight", layer, name);
      ++counts[type_in(GgufFileType::q4_k_m, model, full, 576)];
    }
    const auto down = fmt::format("blk.{}.ffn_down.weight", layer);
    ++counts[type_in(GgufFileType::q4_k_m, model, down, 1536)];
    for (const auto* name : {"attn_norm", "ffn_norm"}) {
      const auto full = fmt::format("blk.{}.{}.weight", layer, name);
      ++counts[tensor_type(GgufFileType::q4_k_m, model, {full, 1, 576})];
    }
  }
  EXPECT_EQ(counts,
            (std::map<BlockType, int>{{q5_0, 166}, {q4_k, 16}, {q6_k, 14}, {q8_0, 15}, {f32, 61}}));
}

TEST(TensorType, ALayerThatIsNotThereIsADefect) {
  EXPECT_THROW((void)type_in(GgufFileType::q4_k_m, llama(2), "blk.2.attn_v.weight"), Error);
  EXPECT_THROW((void)type_in(GgufFileType::q4_k_m, llama(2), "blk.x.attn_v.weight"), Error);
}

TEST(TensorType, NumbersOfFilesAreThoseOfLlamaCpp) {
  EXPECT_EQ(file_type_of(15), GgufFileType::q4_k_m);
  EXPECT_EQ(file_type_of(32), GgufFileType::bf16);
  EXPECT_EQ(file_type_of(4), std::nullopt);
  EXPECT_EQ(name_of(GgufFileType::q5_k_s), "q5_k_s");
}

}  // namespace
}  // namespace ballast::formats
