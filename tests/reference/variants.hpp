#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <ostream>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "reference/model.hpp"

namespace ballast::reference {

/// One way to configure a model, with a name that says which.
struct Variant {
  std::string name;
  model::ModelConfig config;

  friend void PrintTo(const Variant& variant, std::ostream* out) { *out << variant.name; }
};

/// The smallest model in which nothing is trivial: queries share key/value heads in its grouped
/// form (two of four), a head rotates at more than one frequency, epsilon is large enough for its
/// place in the formula to show.
[[nodiscard]] inline model::ModelConfig tiny_shape() {
  model::ModelConfig config;
  config.vocabulary = 11;
  config.dim = 16;
  config.layers = 2;
  config.heads = 4;
  config.ffn = 7;
  config.rope.base = 37.0;
  config.norm_epsilon = 1e-3f;
  return config;
}

/// A shape whose tensors fill their granules unevenly, so that shards cut through them.
[[nodiscard]] inline model::ModelConfig uneven_shape() {
  model::ModelConfig config = tiny_shape();
  config.vocabulary = 259;
  config.dim = 36;
  config.heads = 6;
  config.kv_heads = 2;
  config.ffn = 101;
  config.layers = 3;
  return config;
}

/// `shape` with each way in which open models differ from it, one or a few at a time, as they occur
/// together.
[[nodiscard]] inline std::vector<Variant> architecture_variants(const model::ModelConfig& shape,
                                                                std::size_t grouped_kv_heads) {
  using kernels::RopeScaling;
  using model::FeedForward;
  using model::Position;
  std::vector<Variant> variants;
  const auto add = [&](std::string name, const auto& change) {
    variants.push_back({std::move(name), shape});
    variants.back().config.kv_heads = grouped_kv_heads;
    change(variants.back().config);
  };
  for (const auto kind :
       {FeedForward::geglu, FeedForward::geglu_tanh, FeedForward::reglu, FeedForward::silu,
        FeedForward::gelu, FeedForward::gelu_tanh, FeedForward::relu, FeedForward::relu2}) {
    add(std::string{name_of(kind)}, [&](auto& c) {
      c.activation = kind;
      c.biases.ffn = kind == FeedForward::geglu || kind == FeedForward::gelu;
    });
  }
  for (const auto position :
       {Position::alibi, Position::learned, Position::sinusoidal, Position::none}) {
    add(std::string{name_of(position)}, [&](auto& c) {
      c.position = position;
      c.context = 31;
      c.tie_embeddings = position == Position::learned;
    });
  }
  const auto scaled = [&](RopeScaling scaling, double factor, std::size_t original) {
    add("rope_" + std::string{name_of(scaling)}, [&](auto& c) {
      c.rope.scaling = scaling;
      c.rope.factor = factor;
      c.rope.original_context = original;
      c.context = 64;
    });
  };
  scaled(RopeScaling::linear, 2.5, 0);
  scaled(RopeScaling::dynamic, 2.0, 0);
  scaled(RopeScaling::llama3, 8.0, 20);
  scaled(RopeScaling::yarn, 4.0, 60);
  add("biases", [](auto& c) { c.biases = {true, true, true}; });
  add("wide_heads", [](auto& c) {
    c.own_head_dim = c.dim / c.heads + 6;
    c.biases.qkv = true;
    c.qk_norm = true;
  });
  add("narrow_heads", [](auto& c) { c.own_head_dim = 2; });
  add("nope", [](auto& c) {
    c.nope_every = 2;
    c.qk_norm = true;
  });
  add("window", [](auto& c) {
    c.window = {.tokens = 3, .first_layer = 0, .all_every = 2};
    c.nope_every = 2;
  });
  add("window_documents", [](auto& c) {
    c.window = {.tokens = 2, .first_layer = 1, .all_every = 0};
    c.document_attention = true;
  });
  add("output_norms", [](auto& c) { c.norm_placement = model::NormPlacement::output; });
  add("output_norms_layer", [](auto& c) {
    c.norm_placement = model::NormPlacement::output;
    c.norm = kernels::NormKind::layer;
    c.qk_norm = true;
  });
  add("both_norms", [](auto& c) { c.norm_placement = model::NormPlacement::both; });
  add("gain_offset", [](auto& c) {
    c.gain_offset = true;
    c.qk_norm = true;
  });
  add("softcaps", [](auto& c) {
    c.attention_softcap = 1.5f;
    c.logit_softcap = 2.5f;
    c.attention_scale = 0.4f;
  });
  add("gemma2", [](auto& c) {
    c.norm_placement = model::NormPlacement::both;
    c.gain_offset = true;
    c.scale_embedding = true;
    c.tie_embeddings = true;
    c.activation = FeedForward::geglu_tanh;
    c.own_head_dim = c.dim / c.heads + 2;
    c.attention_softcap = 3.0f;
    c.logit_softcap = 4.0f;
    c.attention_scale = 0.3f;
    c.window = {.tokens = 3, .first_layer = 0, .all_every = 2};
  });
  add("parallel", [](auto& c) {
    c.parallel_sublayers = true;
    c.own_head_dim = c.dim / c.heads + 2;
  });
  add("parallel_without_norms", [](auto& c) {
    c.parallel_sublayers = true;
    c.norm_placement = model::NormPlacement::none;
  });
  add("parallel_both_norms", [](auto& c) {
    c.parallel_sublayers = true;
    c.norm_placement = model::NormPlacement::both;
    c.biases.ffn = true;
  });
  add("scaled_embedding", [](auto& c) { c.scale_embedding = true; });
  add("scaled_tied_embedding", [](auto& c) {
    c.scale_embedding = true;
    c.tie_embeddings = true;
  });
  return variants;
}

/// `shape` with every combination of the switches: norm, placement, QK-norm, tied embeddings,
/// multi-query, grouped and multi-head attention, document boundaries; and architecture_variants.
/// `grouped_kv_heads` is how many key/value heads the grouped form has.
[[nodiscard]] inline std::vector<Variant> all_variants(const model::ModelConfig& shape,
                                                       std::size_t grouped_kv_heads) {
  using kernels::NormKind;
  using model::NormPlacement;
  std::vector<Variant> variants{{"", shape}};
  const auto expand = [&](const auto& choices) {
    std::vector<Variant> expanded;
    for (const Variant& variant : variants) {
      for (const auto& [word, apply] : choices) {
        expanded.push_back(
            {variant.name + (variant.name.empty() ? "" : "_") + word, variant.config});
        apply(expanded.back().config);
      }
    }
    variants = std::move(expanded);
  };
  using Apply = void (*)(model::ModelConfig&);
  using Choices = std::vector<std::pair<std::string, Apply>>;
  expand(Choices{{"rms", [](auto& c) { c.norm = NormKind::rms; }},
                 {"layer", [](auto& c) { c.norm = NormKind::layer; }}});
  expand(Choices{{"pre", [](auto& c) { c.norm_placement = NormPlacement::pre; }},
                 {"post", [](auto& c) { c.norm_placement = NormPlacement::post; }},
                 {"none", [](auto& c) { c.norm_placement = NormPlacement::none; }}});
  expand(Choices{{"plain", [](auto& c) { c.qk_norm = false; }},
                 {"qknorm", [](auto& c) { c.qk_norm = true; }}});
  expand(Choices{{"untied", [](auto& c) { c.tie_embeddings = false; }},
                 {"tied", [](auto& c) { c.tie_embeddings = true; }}});
  expand(Choices{{"whole", [](auto& c) { c.document_attention = false; }},
                 {"documents", [](auto& c) { c.document_attention = true; }}});
  const auto kv_heads = [](std::size_t n) {
    return [n](model::ModelConfig& c) { c.kv_heads = n; };
  };
  expand(std::vector{std::pair{std::string{"multiquery"}, kv_heads(1)},
                     std::pair{std::string{"grouped"}, kv_heads(grouped_kv_heads)},
                     std::pair{std::string{"multihead"}, kv_heads(shape.heads)}});
  std::ranges::move(architecture_variants(shape, grouped_kv_heads), std::back_inserter(variants));
  return variants;
}

/// A dozen of the combinations in which every two positions of any two switches meet (found by
/// search), and architecture_variants: for what is too slow to do to all of all_variants().
[[nodiscard]] inline std::vector<Variant> chosen_variants(const model::ModelConfig& shape,
                                                          std::size_t grouped_kv_heads) {
  std::vector<Variant> chosen = architecture_variants(shape, grouped_kv_heads);
  const std::vector<Variant> all = all_variants(shape, grouped_kv_heads);
  const std::size_t combinations = all.size() - chosen.size();
  for (std::size_t i = 0; i < 12; ++i) chosen.push_back(all[i * 79 % combinations]);
  return chosen;
}

/// Random numbers that a float holds exactly, so that float and double code start from the same.
class RandomValues {
 public:
  explicit RandomValues(std::uint64_t seed) : engine_{seed} {}

  /// Uniform in [middle − radius, middle + radius).
  [[nodiscard]] float uniform(double middle, double radius) {
    const double unit = static_cast<double>(engine_() >> 11) * 0x1p-52 - 1.0;
    return static_cast<float>(middle + radius * unit);
  }
  /// Uniform in 0 .. count − 1.
  [[nodiscard]] std::int32_t below(std::size_t count) {
    return static_cast<std::int32_t>(engine_() % count);
  }

  template <class T>
  [[nodiscard]] std::vector<T> vector(std::size_t size, double middle = 0.0, double radius = 1.0) {
    std::vector<T> values(size);
    for (T& value : values) value = static_cast<T>(uniform(middle, radius));
    return values;
  }

 private:
  std::mt19937_64 engine_;
};

/// Gains about 1, small biases, matrices of a size that keeps activations about 1.
[[nodiscard]] inline Parameters<double> random_parameters(const model::ModelConfig& config,
                                                          std::uint64_t seed) {
  RandomValues random{seed};
  Parameters<double> parameters;
  for (const auto& [name, shape] : parameter_shapes(config)) {
    const bool is_gain = name.ends_with("norm") && !config.gain_offset;
    parameters[name] =
        shape.size() == 1
            ? random.vector<double>(shape[0], is_gain ? 1.0 : 0.1, is_gain ? 0.5 : 0.3)
            : random.vector<double>(shape[0] * shape[1], 0.0,
                                    1.5 / std::sqrt(static_cast<double>(shape[1])));
  }
  return parameters;
}

/// Tokens in which some labels are ignored, weights differ and documents end within sequences.
[[nodiscard]] inline Batch random_batch(std::size_t vocabulary, std::size_t sequences,
                                        std::size_t seq_len, std::uint64_t seed) {
  RandomValues random{seed};
  Batch batch{sequences, seq_len, {}, {}, {}, {}, {}};
  for (std::size_t s = 0; s < sequences; ++s) {
    std::int32_t segment = static_cast<std::int32_t>(s);
    for (std::size_t t = 0; t < seq_len; ++t) {
      if (t > 0 && random.below(3) == 0) ++segment;
      batch.ids.push_back(random.below(vocabulary));
      batch.labels.push_back(random.below(4) == 0 ? kernels::kIgnoreLabel
                                                  : random.below(vocabulary));
      batch.segments.push_back(segment);
      batch.positions.push_back(static_cast<std::int32_t>(t));
      batch.weights.push_back(random.uniform(1.0, 0.75));
    }
  }
  return batch;
}

}  // namespace ballast::reference
