#include "formats/huggingface/tensor_names.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <span>
#include <utility>

#include "base/error.hpp"

namespace ballast::formats {

namespace {

using Names = std::pair<std::string_view, std::string_view>;

constexpr std::array kOfTheEnds{
    Names{"embedding", "model.embed_tokens.weight"},
    Names{"final_norm", "model.norm.weight"},
    Names{"head", "lm_head.weight"},
};

constexpr std::array kOfABlock{
    Names{"attention_norm", "input_layernorm.weight"},
    Names{"wq", "self_attn.q_proj.weight"},
    Names{"wk", "self_attn.k_proj.weight"},
    Names{"wv", "self_attn.v_proj.weight"},
    Names{"wo", "self_attn.o_proj.weight"},
    Names{"bq", "self_attn.q_proj.bias"},
    Names{"bk", "self_attn.k_proj.bias"},
    Names{"bv", "self_attn.v_proj.bias"},
    Names{"bo", "self_attn.o_proj.bias"},
    Names{"q_norm", "self_attn.q_norm.weight"},
    Names{"k_norm", "self_attn.k_norm.weight"},
    Names{"w_gate", "mlp.gate_proj.weight"},
    Names{"w_up", "mlp.up_proj.weight"},
    Names{"w_down", "mlp.down_proj.weight"},
    Names{"b_gate", "mlp.gate_proj.bias"},
    Names{"b_up", "mlp.up_proj.bias"},
    Names{"b_down", "mlp.down_proj.bias"},
};

/// What the norms of a block are called depends on how many there are.
constexpr std::array kOfPreNorms{
    Names{"ffn_norm", "post_attention_layernorm.weight"},
};
constexpr std::array kOfBothNorms{
    Names{"attention_output_norm", "post_attention_layernorm.weight"},
    Names{"ffn_norm", "pre_feedforward_layernorm.weight"},
    Names{"ffn_output_norm", "post_feedforward_layernorm.weight"},
};

std::string_view theirs(std::span<const Names> names, std::string_view ours) {
  const auto found = std::ranges::find(names, ours, &Names::first);
  if (found == names.end()) {
    throw internal_error("tensor '{}' has no name in Hugging Face folders", ours);
  }
  return found->second;
}

}  // namespace

HuggingFaceNames::HuggingFaceNames(const model::ParameterTable& table)
    : has_output_norms_{std::ranges::any_of(
          table.parameters_of_layer(0),
          [](const model::ParameterInfo& row) { return row.name.ends_with("_output_norm"); })} {}

std::string HuggingFaceNames::of(std::string_view tensor) const {
  constexpr std::string_view kBlock = "block.";
  if (!tensor.starts_with(kBlock)) return std::string{theirs(kOfTheEnds, tensor)};
  const std::string_view rest = tensor.substr(kBlock.size());
  const std::size_t dot = rest.find('.');
  const std::string_view ours = rest.substr(dot + 1);
  std::span<const Names> names = kOfABlock;
  if (ours.ends_with("_output_norm") || ours == "ffn_norm") {
    names = has_output_norms_ ? std::span<const Names>{kOfBothNorms}
                              : std::span<const Names>{kOfPreNorms};
  }
  return fmt::format("model.layers.{}.{}", rest.substr(0, dot), theirs(names, ours));
}

}  // namespace ballast::formats
