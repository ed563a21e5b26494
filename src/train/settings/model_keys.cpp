#include <algorithm>
#include <iterator>
#include <utility>

#include "base/option_row.hpp"
#include "train/settings/model_words.hpp"
#include "train/settings/section_keys.hpp"

namespace ballast::train {

using option_row::whole, option_row::number, option_row::choice, option_row::boolean;

namespace {

// Larger than any machine can train, and so small that products of a few sizes fit 64 bits.
constexpr Limits kWidth{1, 1u << 20};
constexpr Limits kWidthOrNone{0, 1u << 20};
constexpr Limits kLayers{1, 1u << 16};
constexpr Limits kLayersOrNone{0, 1u << 16};
constexpr Limits kContext{0, 1u << 30};
constexpr Limits kVocabulary{0, 1u << 28};

/// The role of a key that the first version did not have, and what that version did.
Role later(std::string value) { return Role::same(Absence::means(std::move(value))); }

Keys size_keys(model::ModelConfig& c) {
  const Role same = Role::same(kNeverAbsent);
  return {
      for_calibration({whole("model.dim", c.dim, kWidth, "width of the residual stream"), same}),
      for_calibration({whole("model.layers", c.layers, kLayers, "transformer blocks"), same}),
      {whole("model.heads", c.heads, kWidth, "attention heads; divide dim"), same},
      {whole("model.kv_heads", c.kv_heads, kWidth, "key and value heads; divide heads"), same},
      {whole("model.head_dim", c.own_head_dim, kWidthOrNone,
             "width of a head; 0: model.dim / model.heads"),
       later("0")},
      {whole("model.ffn", c.ffn, kWidth, "width of the feed-forward layer"), same},
      {whole("model.vocabulary", c.vocabulary, kVocabulary,
             "rows of the embedding, the dataset's or more; 0: as many as the dataset has tokens"),
       same},
      {whole("model.context", c.context, kContext,
             "tokens of the longest text it is made for; 0: nobody says"),
       later("0")},
  };
}

Keys position_keys(model::ModelConfig& c) {
  kernels::RopeRule& rope = c.rope;
  return {
      {choice("model.position", c.position,
              "how tokens know their places; rope: rotary position embeddings"),
       later("rope")},
      {whole("model.nope_every", c.nope_every, kLayersOrNone,
             "every n-th layer rotates nothing; 0: all rotate"),
       later("0")},
      {number("model.rope_base", rope.base, kAboveZero, "base of the rotary frequencies"),
       Role::same(kNeverAbsent)},
      {choice("model.rope_scaling", rope.scaling,
              "how rotary frequencies are stretched to longer texts"),
       later("none")},
      {number("model.rope_factor", rope.factor, kAboveZero, "by which they are stretched"),
       later("1")},
      {whole("model.rope_original_context", rope.original_context, kContext,
             "llama3 and yarn: tokens of the texts before stretching"),
       later("0")},
      {number("model.rope_low_frequency", rope.low_frequency, kAboveZero,
              "llama3: what turns less often in these is stretched wholly"),
       later("1")},
      {number("model.rope_high_frequency", rope.high_frequency, kAboveZero,
              "llama3: what turns more often is not"),
       later("4")},
      {number("model.rope_beta_fast", rope.beta_fast, kAboveZero,
              "yarn: what turns more often in these is not stretched"),
       later("32")},
      {number("model.rope_beta_slow", rope.beta_slow, kAboveZero,
              "yarn: what turns less often is stretched wholly"),
       later("1")},
      {boolean("model.rope_truncate", rope.truncate, "yarn: the blend ends at whole pairs"),
       later("true")},
      {number("model.rope_magnitude", rope.magnitude, kZeroOrMore,
              "yarn: factor of cosines and sines; 0: 0.1 ln(model.rope_factor) + 1"),
       later("0")},
  };
}

Keys layer_keys(model::ModelConfig& c) {
  const Role same = Role::same(kNeverAbsent);
  return {
      {choice("model.norm", c.norm, "RMSNorm or LayerNorm"), same},
      for_calibration(
          {choice("model.norm_placement", c.norm_placement,
                  "normalize what each sublayer reads, the stream behind it, what it adds, what it "
                  "reads and adds, or nothing"),
           same}),
      for_calibration({boolean("model.qk_norm", c.qk_norm, "normalize queries and keys"), same}),
      {boolean("model.parallel_sublayers", c.parallel_sublayers,
               "attention and feed-forward layer read the same input"),
       later("false")},
      {choice("model.activation", c.activation,
              "of the feed-forward layer; those that end in glu are gated"),
       later("swiglu")},
      {boolean("model.tie_embeddings", c.tie_embeddings, "one matrix for embedding and output"),
       same},
      {boolean("model.document_attention", c.document_attention,
               "attention stops at document boundaries"),
       same},
      {whole("model.window", c.window.tokens, kContext,
             "attention sees so many tokens back, itself included; 0: all"),
       later("0")},
      {whole("model.window_first", c.window.first_layer, kLayersOrNone,
             "layers before this one, from 0, have no window"),
       later("0")},
      {whole("model.window_all_every", c.window.all_every, kLayersOrNone,
             "every n-th layer has no window; 0: all have"),
       later("0")},
      {boolean("model.qkv_bias", c.biases.qkv, "biases of queries, keys and values"),
       later("false")},
      {boolean("model.attention_output_bias", c.biases.attention_output,
               "a bias of the attention's output"),
       later("false")},
      {boolean("model.ffn_bias", c.biases.ffn, "biases of the feed-forward layer"), later("false")},
      {boolean("model.gain_offset", c.gain_offset,
               "norms multiply by 1 + their weights, which start at 0"),
       later("false")},
      {number("model.attention_scale", c.attention_scale, kZeroOrMore,
              "factor of attention's products; 0: 1 / sqrt of a head's width"),
       later("0")},
      {number("model.attention_softcap", c.attention_softcap, kZeroOrMore,
              "attention logits stay within this, by tanh; 0: no limit"),
       later("0")},
      {number("model.logit_softcap", c.logit_softcap, kZeroOrMore,
              "the model's logits stay within this, by tanh; 0: no limit"),
       later("0")},
      {boolean("model.scale_embedding", c.scale_embedding, "embeddings are times sqrt(dim)"),
       later("false")},
      {number("model.norm_epsilon", c.norm_epsilon, kAboveZero, "added to a norm's denominator"),
       same},
      {number("model.init_std", c.init_std, kZeroOrMore, "spread of the initial weights"),
       Role::free()},
      {number("model.init_depth_scale", c.init_depth_scale, kZeroOrMore,
              "residual outputs start at init_std times this over sqrt(2 layers)"),
       Role::free()},
  };
}

}  // namespace

Keys model_keys(model::ModelConfig& c) {
  Keys rows;
  for (Keys part : {size_keys(c), layer_keys(c), position_keys(c)}) {
    std::ranges::move(part, std::back_inserter(rows));
  }
  return rows;
}

}  // namespace ballast::train
