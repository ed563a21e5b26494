#include "formats/gguf/blocks/tensor_type.hpp"

#include <charconv>

#include "base/error.hpp"
#include "base/text.hpp"

namespace ballast::formats {

namespace {

constexpr std::string_view kBlockPrefix = "blk.";

BlockType usual_type(GgufFileType type) {
  switch (type) {
    case GgufFileType::f32:
      return BlockType::f32;
    case GgufFileType::f16:
      return BlockType::f16;
    case GgufFileType::bf16:
      return BlockType::bf16;
    case GgufFileType::q4_0:
      return BlockType::q4_0;
    case GgufFileType::q4_1:
      return BlockType::q4_1;
    case GgufFileType::q5_0:
      return BlockType::q5_0;
    case GgufFileType::q5_1:
      return BlockType::q5_1;
    case GgufFileType::q8_0:
      return BlockType::q8_0;
    case GgufFileType::q4_k_s:
    case GgufFileType::q4_k_m:
      return BlockType::q4_k;
    case GgufFileType::q5_k_s:
    case GgufFileType::q5_k_m:
      return BlockType::q5_k;
    case GgufFileType::q6_k:
      return BlockType::q6_k;
  }
  throw internal_error("no such type of files");
}

bool is_plain(BlockType type) { return layout_of(type).values == 1; }

bool fits(BlockType type, std::uint64_t row) { return row % layout_of(type).values == 0; }

bool is_matrix(const TensorTraits& tensor) {
  return tensor.dimensions >= 2 && tensor.name.ends_with("weight") &&
         tensor.name.find("_norm.weight") == std::string_view::npos;
}

bool is_output_head(const ModelTraits& model, const TensorTraits& tensor) {
  return tensor.name == "output.weight" || (model.is_tied && tensor.name == "token_embd.weight");
}

std::size_t layer_of(const ModelTraits& model, const TensorTraits& tensor) {
  std::size_t layer = model.layers;
  if (tensor.name.starts_with(kBlockPrefix)) {
    const char* end = tensor.name.data() + tensor.name.size();
    std::from_chars(tensor.name.data() + kBlockPrefix.size(), end, layer);
  }
  if (layer < model.layers) return layer;
  throw internal_error("tensor '{}' is of no layer of a model of {}", excerpt(tensor.name),
                       model.layers);
}

bool is_first_eighth(std::size_t layer, std::size_t layers) { return layer < layers / 8; }

/// The first and the last eighth of the layers, and every third of those between.
bool gets_more_bits(std::size_t layer, std::size_t layers) {
  return is_first_eighth(layer, layers) || layer >= 7 * layers / 8 || (layer - layers / 8) % 3 == 2;
}

bool is_mixture_m(GgufFileType type) {
  return type == GgufFileType::q4_k_m || type == GgufFileType::q5_k_m;
}

/// Models of 70 billion parameters are known by their 80 layers. Several heads share a value
/// projection there, so a better type for it costs little.
bool is_grouped_70b(const ModelTraits& model) {
  if (model.layers != 80) return false;
  return model.architecture == "qwen2" ||
         (model.architecture == "llama" && model.heads != model.kv_heads);
}

BlockType type_of_value_projection(GgufFileType file_type, const ModelTraits& model,
                                   std::size_t layer) {
  if (is_mixture_m(file_type) && gets_more_bits(layer, model.layers)) return BlockType::q6_k;
  if (file_type == GgufFileType::q4_k_s && layer < 4) return BlockType::q5_k;
  const BlockType type = usual_type(file_type);
  return type == BlockType::q4_k && is_grouped_70b(model) ? BlockType::q5_k : type;
}

BlockType type_of_down_projection(GgufFileType file_type, const ModelTraits& model,
                                  std::size_t layer) {
  if (is_mixture_m(file_type) && gets_more_bits(layer, model.layers)) return BlockType::q6_k;
  if (is_first_eighth(layer, model.layers)) {
    if (file_type == GgufFileType::q4_k_s) return BlockType::q5_k;
    if (file_type == GgufFileType::q4_0 && model.is_weighted) return BlockType::q4_1;
    if (file_type == GgufFileType::q5_0 && model.is_weighted) return BlockType::q5_1;
  }
  return usual_type(file_type);
}

BlockType preferred_type(GgufFileType file_type, const ModelTraits& model,
                         const TensorTraits& tensor) {
  const BlockType usual = usual_type(file_type);
  if (is_output_head(model, tensor)) {
    return usual == BlockType::q8_0 || !fits(usual, tensor.row) ? BlockType::q8_0 : BlockType::q6_k;
  }
  if (tensor.name.ends_with("attn_v.weight")) {
    return type_of_value_projection(file_type, model, layer_of(model, tensor));
  }
  if (tensor.name.ends_with("ffn_down.weight")) {
    return type_of_down_projection(file_type, model, layer_of(model, tensor));
  }
  return usual;
}

/// `type`, or what takes its place where it does not divide the row.
BlockType fitting_type(BlockType type, std::uint64_t row) {
  if (fits(type, row)) return type;
  BlockType smaller = type;
  if (type == BlockType::q4_k) smaller = BlockType::q5_0;
  if (type == BlockType::q5_k) smaller = BlockType::q5_1;
  if (type == BlockType::q6_k) smaller = BlockType::q8_0;
  return fits(smaller, row) ? smaller : BlockType::f16;
}

}  // namespace

BlockType tensor_type(GgufFileType file_type, const ModelTraits& model,
                      const TensorTraits& tensor) {
  if (!is_matrix(tensor)) return BlockType::f32;
  const BlockType usual = usual_type(file_type);
  if (is_plain(usual)) return usual;
  return fitting_type(preferred_type(file_type, model, tensor), tensor.row);
}

}  // namespace ballast::formats
