#include "formats/gguf/gguf_names.hpp"

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
    Names{"embedding", "token_embd.weight"},
    Names{"final_norm", "output_norm.weight"},
    Names{"head", "output.weight"},
};

constexpr std::array kOfABlock{
    Names{"attention_norm", "attn_norm.weight"},
    Names{"wq", "attn_q.weight"},
    Names{"wk", "attn_k.weight"},
    Names{"wv", "attn_v.weight"},
    Names{"wo", "attn_output.weight"},
    Names{"bq", "attn_q.bias"},
    Names{"bk", "attn_k.bias"},
    Names{"bv", "attn_v.bias"},
    Names{"bo", "attn_output.bias"},
    Names{"q_norm", "attn_q_norm.weight"},
    Names{"k_norm", "attn_k_norm.weight"},
    Names{"attention_output_norm", "post_attention_norm.weight"},
    Names{"ffn_norm", "ffn_norm.weight"},
    Names{"w_gate", "ffn_gate.weight"},
    Names{"w_up", "ffn_up.weight"},
    Names{"w_down", "ffn_down.weight"},
    Names{"b_gate", "ffn_gate.bias"},
    Names{"b_up", "ffn_up.bias"},
    Names{"b_down", "ffn_down.bias"},
    Names{"ffn_output_norm", "post_ffw_norm.weight"},
};

std::string_view theirs(std::span<const Names> names, std::string_view ours) {
  const auto found = std::ranges::find(names, ours, &Names::first);
  if (found != names.end()) return found->second;
  throw internal_error("tensor '{}' has no name in GGUF files", ours);
}

}  // namespace

std::string gguf_name(std::string_view tensor) {
  constexpr std::string_view kBlock = "block.";
  if (!tensor.starts_with(kBlock)) return std::string{theirs(kOfTheEnds, tensor)};
  const std::string_view rest = tensor.substr(kBlock.size());
  const std::size_t dot = rest.find('.');
  return fmt::format("blk.{}.{}", rest.substr(0, dot), theirs(kOfABlock, rest.substr(dot + 1)));
}

}  // namespace ballast::formats
