#include "base/option_row.hpp"
#include "train/settings/model_words.hpp"
#include "train/settings/section_keys.hpp"

namespace ballast::train {

namespace {

// Larger than any machine can train, and so small that products of a few sizes fit 64 bits.
constexpr Limits kWidth{1, 1u << 20};
constexpr Limits kLayers{1, 1u << 16};

}  // namespace

Keys model_keys(model::ModelConfig& c) {
  using option_row::whole, option_row::number, option_row::choice, option_row::boolean,
      option_row::fixed;
  const Role same = Role::same(kNeverAbsent);
  return {
      for_calibration({whole("model.dim", c.dim, kWidth, "width of the residual stream"), same}),
      for_calibration({whole("model.layers", c.layers, kLayers, "transformer blocks"), same}),
      {whole("model.heads", c.heads, kWidth, "attention heads; divide dim"), same},
      {whole("model.kv_heads", c.kv_heads, kWidth, "key and value heads; divide heads"), same},
      {whole("model.ffn", c.ffn, kWidth, "width of the feed-forward layer"), same},
      {choice("model.norm", c.norm, "RMSNorm or LayerNorm"), same},
      for_calibration({choice("model.norm_placement", c.norm_placement,
                              "normalize before each sublayer, after it, or not at all"),
                       same}),
      for_calibration({boolean("model.qk_norm", c.qk_norm, "normalize queries and keys"), same}),
      // Not kept, since there is one value. A second value needs Role::same, and Absence::means
      // this.
      {fixed("model.position", "rope", "rotary position embedding"), Role::free()},
      {fixed("model.activation", "swiglu", "gated feed-forward layer"), Role::free()},
      {boolean("model.tie_embeddings", c.tie_embeddings, "one matrix for embedding and output"),
       same},
      {boolean("model.document_attention", c.document_attention,
               "attention stops at document boundaries"),
       same},
      {number("model.norm_epsilon", c.norm_epsilon, kAboveZero, "added to a norm's denominator"),
       same},
      {number("model.rope_base", c.rope_base, kAboveZero, "base of the rotary frequencies"), same},
      {number("model.init_std", c.init_std, kZeroOrMore, "spread of the initial weights"),
       Role::free()},
      {number("model.init_depth_scale", c.init_depth_scale, kZeroOrMore,
              "residual outputs start at init_std times this over sqrt(2 layers)"),
       Role::free()},
  };
}

}  // namespace ballast::train
