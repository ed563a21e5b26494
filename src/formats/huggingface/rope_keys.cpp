#include "formats/huggingface/rope_keys.hpp"

#include <cmath>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "kernels/lanes/math.hpp"

namespace ballast::formats {

namespace {

using kernels::RopeRule;
using kernels::RopeScaling;

RopeScaling scaling_of(const ConfigKeys& keys) {
  const std::string type = keys.text("rope_type", keys.text("type", "default"));
  if (type == "default") return RopeScaling::none;
  for (const auto scaling :
       {RopeScaling::linear, RopeScaling::dynamic, RopeScaling::llama3, RopeScaling::yarn}) {
    if (type == name_of(scaling)) return scaling;
  }
  keys.refuse(keys.has("rope_type") ? "rope_type" : "type",
              "is a scaling that Ballast does not compute; it knows default, linear, dynamic, "
              "llama3 and yarn");
}

/// By how much yarn enlarges logits at this factor (Peng et al. 2023, equation 22, as transformers
/// generalizes it).
double yarn_magnitude(double factor, double scale) {
  return factor <= 1.0 ? 1.0 : 0.1 * scale * kernels::portable_log(factor) + 1.0;
}

double above_zero(const ConfigKeys& keys, const char* key, double fallback) {
  const double value = keys.number(key, fallback);
  if (value <= 0.0) keys.refuse(key, "is not above 0");
  return value;
}

/// 0 counts as absent, as in transformers.
double above_zero_or_absent(const ConfigKeys& keys, const char* key, double fallback) {
  return keys.number(key, 0.0) == 0.0 ? fallback : above_zero(keys, key, fallback);
}

/// Of cosines and sines, where the file says one; 0: the rule's own.
double read_magnitude(const ConfigKeys& keys, double factor) {
  if (keys.has("attention_factor")) return above_zero(keys, "attention_factor", 0.0);
  const double of_query = keys.number("mscale", 0.0);
  const double of_all = keys.number("mscale_all_dim", 0.0);
  if (of_query == 0.0 || of_all == 0.0) return 0.0;
  const double magnitude = yarn_magnitude(factor, of_query) / yarn_magnitude(factor, of_all);
  if (!(magnitude > 0.0) || !std::isfinite(magnitude)) {
    keys.refuse("mscale", "makes, with mscale_all_dim, no factor above 0");
  }
  return magnitude;
}

void read_yarn(const ConfigKeys& keys, RopeRule& rope) {
  rope.beta_fast = above_zero_or_absent(keys, "beta_fast", 32.0);
  rope.beta_slow = above_zero_or_absent(keys, "beta_slow", 1.0);
  rope.truncate = keys.boolean("truncate", true);
  rope.magnitude = read_magnitude(keys, rope.factor);
}

/// Inside the object, else beside it, else the context.
std::size_t read_original_context(const ConfigKeys& outer, const ConfigKeys& keys,
                                  std::size_t context) {
  constexpr const char* kKey = "original_max_position_embeddings";
  const ConfigKeys& holder = keys.has(kKey) ? keys : outer;
  const std::size_t tokens = holder.whole(kKey, context);
  if (tokens == 0) holder.refuse(kKey, "is no number of tokens");
  return tokens;
}

void require(const ConfigKeys& keys, const char* key, RopeScaling scaling) {
  if (keys.has(key)) return;
  throw data_error("{} is missing, which rope_type = {} needs", keys.place(key), name_of(scaling));
}

void read_scaling(const ConfigKeys& outer, const ConfigKeys& keys, const model::ModelConfig& model,
                  RopeRule& rope) {
  rope.scaling = scaling_of(keys);
  if (rope.scaling == RopeScaling::none) return;
  if (rope.scaling == RopeScaling::llama3 || rope.scaling == RopeScaling::yarn) {
    rope.original_context = read_original_context(outer, keys, model.context);
  }
  if (rope.scaling == RopeScaling::yarn && !keys.has("factor")) {
    rope.factor = static_cast<double>(model.context) / static_cast<double>(rope.original_context);
    if (rope.factor == 0.0) outer.refuse("max_position_embeddings", "leaves yarn without a factor");
  } else {
    require(keys, "factor", rope.scaling);
    rope.factor = above_zero(keys, "factor", 1.0);
  }
  if (rope.scaling == RopeScaling::llama3) {
    require(keys, "low_freq_factor", rope.scaling);
    require(keys, "high_freq_factor", rope.scaling);
    rope.low_frequency = above_zero(keys, "low_freq_factor", 1.0);
    rope.high_frequency = above_zero(keys, "high_freq_factor", 4.0);
    if (rope.high_frequency <= rope.low_frequency) {
      keys.refuse("high_freq_factor", "is not above low_freq_factor");
    }
  }
  if (rope.scaling == RopeScaling::yarn) read_yarn(keys, rope);
}

/// Where both spellings are there, transformers 5 takes the old one, unless it is empty.
std::optional<ConfigKeys> scaling_keys(const ConfigKeys& keys) {
  const auto old = keys.object("rope_scaling");
  return old && !old->is_empty() ? old : keys.object("rope_parameters");
}

/// Frequencies shrink from pair to pair, by a logarithm that yarn divides by.
double read_base(const ConfigKeys& keys, double fallback) {
  const double base = keys.number("rope_theta", fallback);
  if (base <= 1.0) keys.refuse("rope_theta", "is not above 1");
  return base;
}

}  // namespace

RopeRule read_rope(const ConfigKeys& keys, double base, const model::ModelConfig& model) {
  RopeRule rope;
  rope.base = read_base(keys, base);
  const auto own = scaling_keys(keys);
  if (!own) return rope;
  if (const auto layers = own->key_of_object()) {
    own->refuse(*layers, "is a rule for some of the layers; Ballast has one for all");
  }
  rope.base = read_base(*own, rope.base);
  if (own->number("partial_rotary_factor", 1.0) != 1.0) {
    own->refuse("partial_rotary_factor", "is not 1: Ballast rotates whole heads");
  }
  read_scaling(keys, *own, model, rope);
  return rope;
}

void write_rope(const RopeRule& rope, Json& json) {
  Json scaling = nullptr;
  if (rope.scaling != RopeScaling::none) {
    scaling = {{"rope_type", name_of(rope.scaling)}, {"factor", rope.factor}};
    if (rope.original_context != 0) {
      scaling["original_max_position_embeddings"] = rope.original_context;
    }
  }
  if (rope.scaling == RopeScaling::llama3) {
    scaling["low_freq_factor"] = rope.low_frequency;
    scaling["high_freq_factor"] = rope.high_frequency;
  }
  if (rope.scaling == RopeScaling::yarn) {
    scaling["beta_fast"] = rope.beta_fast;
    scaling["beta_slow"] = rope.beta_slow;
    if (!rope.truncate) scaling["truncate"] = false;
    if (rope.magnitude != 0.0) scaling["attention_factor"] = rope.magnitude;
  }
  Json parameters = scaling.is_null() ? Json{{"rope_type", "default"}} : scaling;
  parameters["rope_theta"] = rope.base;
  json["rope_theta"] = rope.base;
  json["rope_scaling"] = scaling;
  json["rope_parameters"] = parameters;
}

}  // namespace ballast::formats
