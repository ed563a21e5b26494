#include "formats/huggingface/rope_keys.hpp"

#include <array>
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

void read_yarn(const ConfigKeys& keys, RopeRule& rope) {
  rope.beta_fast = keys.number("beta_fast", 32.0);
  rope.beta_slow = keys.number("beta_slow", 1.0);
  rope.truncate = keys.boolean("truncate", true);
  const double of_query = keys.number("mscale", 0.0);
  const double of_all = keys.number("mscale_all_dim", 0.0);
  if (keys.has("attention_factor")) {
    rope.magnitude = keys.number("attention_factor", 0.0);
  } else if (of_query != 0.0 && of_all != 0.0) {
    rope.magnitude = yarn_magnitude(rope.factor, of_query) / yarn_magnitude(rope.factor, of_all);
  }
}

void read_scaling(const ConfigKeys& outer, const ConfigKeys& keys, const model::ModelConfig& model,
                  RopeRule& rope) {
  rope.scaling = scaling_of(keys);
  if (rope.scaling == RopeScaling::none) return;
  if (rope.scaling == RopeScaling::llama3 || rope.scaling == RopeScaling::yarn) {
    const std::size_t said = outer.whole("original_max_position_embeddings", model.context);
    rope.original_context = keys.whole("original_max_position_embeddings", said);
  }
  const double stretched =
      rope.original_context == 0
          ? 1.0
          : static_cast<double>(model.context) / static_cast<double>(rope.original_context);
  rope.factor = keys.number("factor", stretched);
  if (rope.factor <= 0.0) keys.refuse("factor", "is not above 0");
  if (rope.scaling == RopeScaling::llama3) {
    rope.low_frequency = keys.number("low_freq_factor", 1.0);
    rope.high_frequency = keys.number("high_freq_factor", 4.0);
  }
  if (rope.scaling == RopeScaling::yarn) read_yarn(keys, rope);
}

}  // namespace

RopeRule read_rope(const ConfigKeys& keys, double base, const model::ModelConfig& model) {
  RopeRule rope;
  rope.base = keys.number("rope_theta", base);
  // Where both are there, transformers 5 takes the old spelling.
  auto own = keys.object("rope_scaling");
  if (!own) own = keys.object("rope_parameters");
  if (own) {
    for (const char* kind : {"full_attention", "sliding_attention"}) {
      if (own->has(kind)) own->refuse(kind, "differs by layer, which Ballast does not compute");
    }
    rope.base = own->number("rope_theta", rope.base);
    if (own->number("partial_rotary_factor", 1.0) != 1.0) {
      own->refuse("partial_rotary_factor", "is not 1: Ballast rotates whole heads");
    }
    read_scaling(keys, *own, model, rope);
  }
  if (rope.base <= 0.0) keys.refuse("rope_theta", "is not above 0");
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
