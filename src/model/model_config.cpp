#include "model/model_config.hpp"

#include "base/error.hpp"

namespace ballast::model {

namespace {

void validate_sizes(const ModelConfig& config) {
  const auto require_positive = [](const char* key, std::size_t value) {
    if (value == 0) throw usage_error("{} must be at least 1", key);
  };
  require_positive("model.dim", config.dim);
  require_positive("model.layers", config.layers);
  require_positive("model.heads", config.heads);
  require_positive("model.kv_heads", config.kv_heads);
  require_positive("model.ffn", config.ffn);
  if (config.own_head_dim == 0 && config.dim % config.heads != 0) {
    throw usage_error(
        "model.dim = {} is not divisible by model.heads = {}: change one of them, or set "
        "model.head_dim",
        config.dim, config.heads);
  }
  if (config.heads % config.kv_heads != 0) {
    throw usage_error("model.heads = {} is not divisible by model.kv_heads = {}", config.heads,
                      config.kv_heads);
  }
}

void validate_window(const Window& window) {
  if (window.tokens != 0) return;
  const auto refuse = [](const char* key, std::size_t value) {
    throw usage_error(
        "{} = {} says which layers have a window, but model.window = 0: there is none", key, value);
  };
  if (window.first_layer != 0) refuse("model.window_first", window.first_layer);
  if (window.all_every != 0) refuse("model.window_all_every", window.all_every);
}

void validate_rope(const ModelConfig& config) {
  using kernels::RopeScaling;
  const kernels::RopeRule& rope = config.rope;
  if (config.head_dim() % 2 != 0) {
    throw usage_error(
        "a head of {} elements is odd: rotary position embeddings turn pairs, so set "
        "model.head_dim, or model.dim / model.heads, to an even number",
        config.head_dim());
  }
  if (rope.scaling == RopeScaling::none && rope.factor != 1.0) {
    throw usage_error("model.rope_factor = {} stretches nothing with model.rope_scaling = none",
                      rope.factor);
  }
  const bool needs_context =
      rope.scaling == RopeScaling::llama3 || rope.scaling == RopeScaling::yarn;
  if (needs_context && rope.original_context == 0) {
    throw usage_error(
        "model.rope_scaling = {} needs model.rope_original_context, the tokens of the texts before "
        "stretching",
        name_of(rope.scaling));
  }
  if (rope.scaling == RopeScaling::llama3 && rope.high_frequency <= rope.low_frequency) {
    throw usage_error("model.rope_high_frequency = {} must be above model.rope_low_frequency = {}",
                      rope.high_frequency, rope.low_frequency);
  }
  if (rope.scaling == RopeScaling::dynamic && config.context == 0) {
    throw usage_error("model.rope_scaling = dynamic needs model.context: up to there it is none");
  }
}

void validate_positions(const ModelConfig& config) {
  if (config.position == Position::rope) return validate_rope(config);
  if (config.rope.scaling != kernels::RopeScaling::none) {
    throw usage_error("model.rope_scaling = {} has nothing to stretch with model.position = {}",
                      name_of(config.rope.scaling), name_of(config.position));
  }
  if (config.nope_every != 0) {
    throw usage_error("model.nope_every = {} is for rotary positions, not model.position = {}",
                      config.nope_every, name_of(config.position));
  }
  if (config.position == Position::learned && config.context == 0) {
    throw usage_error("model.position = learned needs model.context: so many vectors are learned");
  }
}

}  // namespace

void ModelConfig::validate() const {
  validate_sizes(*this);
  if (parallel_sublayers && has_stream_norms()) {
    throw usage_error(
        "model.parallel_sublayers with model.norm_placement = post: between sublayers that read "
        "one "
        "input there is no stream to normalize; choose another placement");
  }
  if (position == Position::alibi && attention_softcap > 0.0f) {
    throw usage_error(
        "model.attention_softcap = {} with model.position = alibi: nobody says which of the two "
        "comes first; leave one of them out",
        attention_softcap);
  }
  validate_window(window);
  validate_positions(*this);
}

void ModelConfig::require_context(std::size_t tokens, std::string_view who) const {
  const bool is_bound =
      position == Position::learned ||
      (position == Position::rope && rope.scaling == kernels::RopeScaling::dynamic);
  if (!is_bound || tokens <= context) return;
  throw usage_error(
      "{} = {} is longer than model.context = {}, which the model's positions ({}) "
      "end at",
      who, tokens, context,
      position == Position::learned ? name_of(position) : name_of(rope.scaling));
}

}  // namespace ballast::model
