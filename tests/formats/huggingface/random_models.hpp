#pragma once

#include <cmath>
#include <random>
#include <string_view>

#include "model/model_config.hpp"

namespace ballast::test {

/// Draws models of a family: sizes, frequencies, windows and biases as the family has them.
class RandomModels {
 public:
  explicit RandomModels(std::uint32_t seed) : random_{seed} {}

  [[nodiscard]] std::size_t whole(std::size_t least, std::size_t most) {
    return std::uniform_int_distribution{least, most}(random_);
  }
  [[nodiscard]] bool coin() { return whole(0, 1) == 1; }
  [[nodiscard]] double number(double least, double most) {
    return std::uniform_real_distribution{least, most}(random_);
  }

  /// One that no family before this one in the list computes.
  model::ModelConfig draw(std::string_view family) {
    model::ModelConfig c = draw_sizes();
    c.rope = draw_rope(c.context);
    if (family == "llama" || family == "qwen3" || family == "gemma2") {
      c.biases.qkv = c.biases.attention_output = coin();
    }
    if (family == "llama") c.biases.ffn = coin();
    if (family == "qwen3") c.qk_norm = true;
    if (family == "qwen2") c.biases.qkv = true;
    if (family == "mistral") c.window.tokens = whole(1, 5000);
    if (family == "smollm3") c.nope_every = whole(1, c.layers);
    if (family == "qwen2" || family == "qwen3" || family == "smollm3" || family == "gemma2") {
      c.window = draw_window(c);
    }
    if (family == "gemma2") make_gemma(c);
    return c;
  }

 private:
  void make_gemma(model::ModelConfig& c) {
    c.norm_placement = model::NormPlacement::both;
    c.activation = model::FeedForward::geglu_tanh;
    c.gain_offset = true;
    c.scale_embedding = true;
    c.attention_scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(whole(1, 999))));
    c.attention_softcap = coin() ? 50.0f : 0.0f;
    c.logit_softcap = coin() ? 30.0f : 0.0f;
  }

  model::ModelConfig draw_sizes() {
    model::ModelConfig c;
    c.layers = whole(1, 12);
    c.kv_heads = whole(1, 4);
    c.heads = c.kv_heads * whole(1, 4);
    c.dim = c.heads * 2 * whole(1, 40);
    c.own_head_dim = coin() ? 2 * whole(1, 200) : 0;
    c.ffn = whole(1, 9999);
    c.vocabulary = whole(1, 300'000);
    c.context = whole(1, 200'000);
    c.tie_embeddings = coin();
    c.norm_epsilon = std::pow(10.0f, static_cast<float>(number(-8.0, 0.0)));
    c.init_std = number(0.0, 1.0);
    return c;
  }

  kernels::RopeRule draw_rope(std::size_t context) {
    using kernels::RopeScaling;
    kernels::RopeRule rope{.base = number(2.0, 1e7)};
    rope.scaling = static_cast<RopeScaling>(whole(0, 4));
    if (rope.scaling == RopeScaling::none) return rope;
    rope.factor = number(0.5, 50.0);
    if (rope.scaling == RopeScaling::llama3) {
      rope.low_frequency = number(0.1, 3.0);
      rope.high_frequency = rope.low_frequency + number(0.1, 5.0);
    }
    if (rope.scaling == RopeScaling::yarn) {
      rope.beta_fast = number(8.0, 60.0);
      rope.beta_slow = number(0.5, 4.0);
      rope.truncate = coin();
      rope.magnitude = coin() ? number(0.5, 2.0) : 0.0;
    }
    if (rope.scaling == RopeScaling::llama3 || rope.scaling == RopeScaling::yarn) {
      rope.original_context = whole(1, context);
    }
    return rope;
  }

  model::Window draw_window(const model::ModelConfig& c) {
    if (coin()) return {};
    return {.tokens = whole(1, 5000),
            .first_layer = coin() ? 0 : whole(0, c.layers + 1),
            .all_every = coin() ? 0 : whole(1, c.layers + 1)};
  }

  std::mt19937 random_;
};

}  // namespace ballast::test
