#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "model/model_config.hpp"
#include "reference/kernels.hpp"

namespace ballast::reference {

template <class T>
using Parameters = std::map<std::string, std::vector<T>>;

/// Whole sequences of equal length, one after the other; every vector: [sequences · seq_len].
struct Batch {
  std::size_t sequences;
  std::size_t seq_len;
  std::vector<std::int32_t> ids;
  std::vector<std::int32_t> labels;  ///< kernels::kIgnoreLabel where none counts
  std::vector<std::int32_t> segments;
  std::vector<std::int32_t> positions;
  std::vector<float> weights;  ///< or empty for all ones
};

[[nodiscard]] inline std::string block_name(std::size_t layer, const std::string& tensor) {
  return "block." + std::to_string(layer) + "." + tensor;
}

/// Every tensor of a model, by name.
[[nodiscard]] inline std::map<std::string, std::vector<std::size_t>> parameter_shapes(
    const model::ModelConfig& config) {
  std::map<std::string, std::vector<std::size_t>> shapes;
  shapes["embedding"] = {config.vocabulary, config.dim};
  if (config.position == model::Position::learned) {
    shapes["positions"] = {config.context, config.dim};
  }
  if (!config.tie_embeddings) shapes["head"] = {config.vocabulary, config.dim};
  if (config.has_final_norm()) shapes["final_norm"] = {config.dim};
  for (std::size_t l = 0; l < config.layers; ++l) {
    shapes[block_name(l, "wq")] = {config.q_dim(), config.dim};
    shapes[block_name(l, "wk")] = {config.kv_dim(), config.dim};
    shapes[block_name(l, "wv")] = {config.kv_dim(), config.dim};
    shapes[block_name(l, "wo")] = {config.dim, config.q_dim()};
    const bool is_gated = model::is_gated(config.activation);
    if (is_gated) shapes[block_name(l, "w_gate")] = {config.ffn, config.dim};
    shapes[block_name(l, "w_up")] = {config.ffn, config.dim};
    shapes[block_name(l, "w_down")] = {config.dim, config.ffn};
    if (config.has_output_norms()) {
      shapes[block_name(l, "attention_output_norm")] = {config.dim};
      shapes[block_name(l, "ffn_output_norm")] = {config.dim};
    }
    if (config.has_input_norms() || config.has_stream_norms()) {
      shapes[block_name(l, "attention_norm")] = {config.dim};
      shapes[block_name(l, "ffn_norm")] = {config.dim};
    }
    if (config.biases.qkv) {
      shapes[block_name(l, "bq")] = {config.q_dim()};
      shapes[block_name(l, "bk")] = {config.kv_dim()};
      shapes[block_name(l, "bv")] = {config.kv_dim()};
    }
    if (config.biases.attention_output) shapes[block_name(l, "bo")] = {config.dim};
    if (config.biases.ffn) {
      if (is_gated) shapes[block_name(l, "b_gate")] = {config.ffn};
      shapes[block_name(l, "b_up")] = {config.ffn};
      shapes[block_name(l, "b_down")] = {config.dim};
    }
    if (config.qk_norm) {
      shapes[block_name(l, "q_norm")] = {config.head_dim()};
      shapes[block_name(l, "k_norm")] = {config.head_dim()};
    }
  }
  return shapes;
}

/// Weight decay leaves the gains of norms and biases alone: they are the tensors of one dimension.
[[nodiscard]] inline bool decays(const std::vector<std::size_t>& shape) { return shape.size() > 1; }

/// A Llama-style transformer as a composition of the reference kernels. Nothing but the residual
/// stream is kept: the backward pass computes everything else again.
template <class T>
class Model {
 public:
  using Values = std::vector<T>;

  Model(const model::ModelConfig& config, Parameters<T> parameters)
      : config_{config}, parameters_{std::move(parameters)} {
    if (config.position == model::Position::alibi) slopes_ = kernels::alibi_slopes(config.heads);
  }

  [[nodiscard]] Parameters<T>& parameters() { return parameters_; }

  /// Calls see(weight, x) for every linear layer that is computed from now on: x: [tokens, in].
  void on_linear(std::function<void(const std::string& weight, const Values& x)> see) {
    see_ = std::move(see);
  }

  /// The residual stream before the first block and after each one: layers + 1 of [tokens, dim].
  [[nodiscard]] std::vector<Values> residual_stream(const Batch& batch) const {
    std::vector<Values> stream{embedded(batch)};
    for (std::size_t l = 0; l < config_.layers; ++l) {
      const Values attended = sublayer_forward(attention_sublayer(l, batch), stream.back());
      if (config_.parallel_sublayers) {
        Values sum = add(attended, sublayer_forward(ffn_sublayer(l), stream.back()));
        for (std::size_t i = 0; i < sum.size(); ++i) sum[i] -= stream.back()[i];
        stream.push_back(std::move(sum));
      } else {
        stream.push_back(sublayer_forward(ffn_sublayer(l), attended));
      }
    }
    return stream;
  }

  /// [tokens, vocabulary].
  [[nodiscard]] Values logits(const Batch& batch) const {
    return head_forward(residual_stream(batch).back());
  }

  /// Σ weight · nll over the labels that are not ignored.
  [[nodiscard]] T loss(const Batch& batch) const {
    return cross_entropy_forward(config_.vocabulary, batch.labels, batch.weights, logits(batch));
  }

  /// The gradient of loss() for every parameter.
  [[nodiscard]] Parameters<T> gradients(const Batch& batch) const {
    return gradients(batch, [&](const Values& at) {
      return cross_entropy_backward(config_.vocabulary, batch.labels, batch.weights, 1.0, at);
    });
  }

  /// The same of any function of the logits, by its own gradient: dlogits(logits), both [tokens,
  /// vocabulary].
  template <class DLogits>
  [[nodiscard]] Parameters<T> gradients(const Batch& batch, const DLogits& dlogits) const {
    Parameters<T> gradients;
    for (const auto& [name, values] : parameters_) gradients[name].resize(values.size());
    const std::vector<Values> stream = residual_stream(batch);
    Values d = head_backward(dlogits(head_forward(stream.back())), stream.back(), gradients);
    for (std::size_t l = config_.layers; l-- > 0;) {
      const Sublayer attention = attention_sublayer(l, batch);
      if (config_.parallel_sublayers) {
        const Values through = sublayer_backward(ffn_sublayer(l), stream[l], d, gradients);
        const Values both = add(through, sublayer_backward(attention, stream[l], d, gradients));
        for (std::size_t i = 0; i < d.size(); ++i) d[i] = both[i] - d[i];
        continue;
      }
      const Values middle = sublayer_forward(attention, stream[l]);
      d = sublayer_backward(ffn_sublayer(l), middle, d, gradients);
      d = sublayer_backward(attention, stream[l], d, gradients);
    }
    const Values dtokens = embedding_backward(config_.vocabulary, config_.dim, batch.ids, d);
    accumulate(gradients["embedding"], times(embedding_factor(), dtokens));
    if (config_.position == model::Position::learned) {
      accumulate(gradients["positions"],
                 embedding_backward(config_.context, config_.dim, batch.positions, d));
    }
    return gradients;
  }

 private:
  /// What stands between two additions to the residual stream.
  struct Sublayer {
    enum class Kind { attention, ffn };
    Kind kind;
    std::size_t layer;
    const Batch* batch;  ///< for attention

    [[nodiscard]] std::string norm_name() const {
      return block_name(layer, kind == Kind::attention ? "attention_norm" : "ffn_norm");
    }
    [[nodiscard]] std::string output_norm_name() const {
      return block_name(layer,
                        kind == Kind::attention ? "attention_output_norm" : "ffn_output_norm");
    }
  };

  /// Queries, keys and values of one layer, before ("raw") and after QK-norm and RoPE.
  struct Projections {
    Values raw_q, raw_k, q, k, v;
  };

  [[nodiscard]] static Sublayer attention_sublayer(std::size_t layer, const Batch& batch) {
    return {Sublayer::Kind::attention, layer, &batch};
  }
  [[nodiscard]] static Sublayer ffn_sublayer(std::size_t layer) {
    return {Sublayer::Kind::ffn, layer, nullptr};
  }

  [[nodiscard]] const Values& at(const std::string& name) const { return parameters_.at(name); }
  [[nodiscard]] const Values& at(std::size_t layer, const std::string& tensor) const {
    return parameters_.at(block_name(layer, tensor));
  }
  [[nodiscard]] std::string head_name() const {
    return config_.tie_embeddings ? "embedding" : "head";
  }
  [[nodiscard]] double epsilon() const { return static_cast<double>(config_.norm_epsilon); }

  static void accumulate(Values& sum, const Values& x) {
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += x[i];
  }
  [[nodiscard]] static Values add(Values a, const Values& b) {
    accumulate(a, b);
    return a;
  }

  [[nodiscard]] Values gain_values(const std::string& gain) const {
    Values values = at(gain);
    for (T& value : values) value += config_.gain_offset ? 1.0 : 0.0;
    return values;
  }
  [[nodiscard]] Values norm(const std::string& gain, const Values& x) const {
    return norm_forward(config_.norm, epsilon(), x, gain_values(gain));
  }
  [[nodiscard]] Values norm_gradient(const std::string& gain, const Values& x, const Values& dy,
                                     Parameters<T>& gradients) const {
    auto [dx, dgain] = norm_backward(config_.norm, epsilon(), x, gain_values(gain), dy);
    accumulate(gradients.at(gain), dgain);
    return dx;
  }

  static Values times(double factor, Values x) {
    for (T& value : x) value *= factor;
    return x;
  }
  [[nodiscard]] double embedding_factor() const {
    return config_.scale_embedding ? std::sqrt(static_cast<double>(config_.dim)) : 1.0;
  }
  /// The stream that enters the first block.
  [[nodiscard]] Values embedded(const Batch& batch) const {
    Values stream =
        times(embedding_factor(), embedding_forward(config_.dim, batch.ids, at("embedding")));
    if (config_.position == model::Position::learned) {
      accumulate(stream, embedding_forward(config_.dim, batch.positions, at("positions")));
    }
    if (config_.position != model::Position::sinusoidal) return stream;
    for (std::size_t i = 0; i < stream.size(); ++i) {
      const std::size_t element = i % config_.dim;
      const auto place = static_cast<double>(element - element % 2);
      const double angle = static_cast<double>(batch.positions[i / config_.dim]) *
                           std::pow(10000.0, -place / static_cast<double>(config_.dim));
      stream[i] += element % 2 == 0 ? std::sin(angle) : std::cos(angle);
    }
    return stream;
  }

  /// "b…" of "…w…": the bias beside a weight.
  [[nodiscard]] static std::string bias_of(std::string weight) {
    const std::size_t dot = weight.rfind('.') + 1;
    if (weight.compare(dot, 2, "w_") == 0) return weight.replace(dot, 2, "b_");
    return weight.replace(dot, 1, "b");
  }

  [[nodiscard]] Values linear(const std::string& weight, std::size_t in, std::size_t out,
                              const Values& x) const {
    if (see_) see_(weight, x);
    Values y = linear_forward(in, out, x, at(weight));
    const auto bias = parameters_.find(bias_of(weight));
    if (bias == parameters_.end()) return y;
    for (std::size_t i = 0; i < y.size(); ++i) y[i] += bias->second[i % out];
    return y;
  }
  [[nodiscard]] Values linear_gradient(const std::string& weight, std::size_t in, std::size_t out,
                                       const Values& x, const Values& dy,
                                       Parameters<T>& gradients) const {
    auto [dx, dw] = linear_backward(in, out, x, at(weight), dy);
    accumulate(gradients.at(weight), dw);
    const auto dbias = gradients.find(bias_of(weight));
    if (dbias == gradients.end()) return dx;
    for (std::size_t i = 0; i < dy.size(); ++i) dbias->second[i % out] += dy[i];
    return dx;
  }

  [[nodiscard]] Values head_input(const Values& h) const {
    return config_.has_final_norm() ? norm("final_norm", h) : h;
  }
  [[nodiscard]] double cap() const { return static_cast<double>(config_.logit_softcap); }
  [[nodiscard]] Values head_forward(const Values& h) const {
    Values logits = linear(head_name(), config_.dim, config_.vocabulary, head_input(h));
    if (cap() == 0.0) return logits;
    for (T& logit : logits) logit = cap() * std::tanh(logit / cap());
    return logits;
  }
  [[nodiscard]] Values head_backward(Values dlogits, const Values& h,
                                     Parameters<T>& gradients) const {
    if (cap() != 0.0) {
      const Values capped = head_forward(h);
      for (std::size_t i = 0; i < capped.size(); ++i) {
        dlogits[i] *= 1.0 - capped[i] * capped[i] / (cap() * cap());
      }
    }
    const Values d = linear_gradient(head_name(), config_.dim, config_.vocabulary, head_input(h),
                                     dlogits, gradients);
    if (!config_.has_final_norm()) return d;
    return norm_gradient("final_norm", h, d, gradients);
  }

  [[nodiscard]] Values sublayer_forward(const Sublayer& sublayer, const Values& h) const {
    switch (config_.norm_placement) {
      case model::NormPlacement::pre:
        return add(h, branch_forward(sublayer, norm(sublayer.norm_name(), h)));
      case model::NormPlacement::post:
        return norm(sublayer.norm_name(), add(h, branch_forward(sublayer, h)));
      case model::NormPlacement::output:
        return add(h, norm(sublayer.output_norm_name(), branch_forward(sublayer, h)));
      case model::NormPlacement::both: {
        const Values result = branch_forward(sublayer, norm(sublayer.norm_name(), h));
        return add(h, norm(sublayer.output_norm_name(), result));
      }
      case model::NormPlacement::none:
        break;
    }
    return add(h, branch_forward(sublayer, h));
  }

  [[nodiscard]] Values sublayer_backward(const Sublayer& sublayer, const Values& h, const Values& d,
                                         Parameters<T>& gradients) const {
    const std::string gain = sublayer.norm_name();
    switch (config_.norm_placement) {
      case model::NormPlacement::pre: {
        const Values dbranch = branch_backward(sublayer, norm(gain, h), d, gradients);
        return add(d, norm_gradient(gain, h, dbranch, gradients));
      }
      case model::NormPlacement::post: {
        const Values sum = add(h, branch_forward(sublayer, h));
        const Values dsum = norm_gradient(gain, sum, d, gradients);
        return add(dsum, branch_backward(sublayer, h, dsum, gradients));
      }
      case model::NormPlacement::output: {
        const Values result = branch_forward(sublayer, h);
        const Values dresult = norm_gradient(sublayer.output_norm_name(), result, d, gradients);
        return add(d, branch_backward(sublayer, h, dresult, gradients));
      }
      case model::NormPlacement::both: {
        const Values input = norm(gain, h);
        const Values result = branch_forward(sublayer, input);
        const Values dresult = norm_gradient(sublayer.output_norm_name(), result, d, gradients);
        const Values dinput = branch_backward(sublayer, input, dresult, gradients);
        return add(d, norm_gradient(gain, h, dinput, gradients));
      }
      case model::NormPlacement::none:
        break;
    }
    return add(d, branch_backward(sublayer, h, d, gradients));
  }

  [[nodiscard]] Values branch_forward(const Sublayer& sublayer, const Values& x) const {
    return sublayer.kind == Sublayer::Kind::attention
               ? attention_branch(sublayer.layer, *sublayer.batch, x)
               : ffn_branch(sublayer.layer, x);
  }
  [[nodiscard]] Values branch_backward(const Sublayer& sublayer, const Values& x, const Values& d,
                                       Parameters<T>& gradients) const {
    return sublayer.kind == Sublayer::Kind::attention
               ? attention_branch_backward(sublayer.layer, *sublayer.batch, x, d, gradients)
               : ffn_branch_backward(sublayer.layer, x, d, gradients);
  }

  [[nodiscard]] kernels::AttentionDims attention_dims(const Batch& batch) const {
    return {batch.sequences, batch.seq_len, config_.heads, config_.kv_heads, config_.head_dim()};
  }
  [[nodiscard]] std::span<const std::int32_t> segments(const Batch& batch) const {
    return config_.document_attention ? std::span{batch.segments} : std::span<const std::int32_t>{};
  }

  [[nodiscard]] kernels::RopeFrequencies frequencies() const {
    return kernels::rope_frequencies(config_.rope, config_.head_dim());
  }
  [[nodiscard]] kernels::AttentionRule rule(std::size_t l) const {
    return {.scale = config_.attention_scale,
            .window = config_.window.of(l),
            .softcap = config_.attention_softcap,
            .slopes = slopes_};
  }

  [[nodiscard]] Projections project(std::size_t l, const Batch& batch, const Values& x) const {
    Projections p{linear(block_name(l, "wq"), config_.dim, config_.q_dim(), x),
                  linear(block_name(l, "wk"), config_.dim, config_.kv_dim(), x),
                  {},
                  {},
                  linear(block_name(l, "wv"), config_.dim, config_.kv_dim(), x)};
    p.q = config_.qk_norm ? norm(block_name(l, "q_norm"), p.raw_q) : p.raw_q;
    p.k = config_.qk_norm ? norm(block_name(l, "k_norm"), p.raw_k) : p.raw_k;
    if (!config_.rotates(l)) return p;
    p.q = rotate(1.0, frequencies(), config_.heads, batch.positions, p.q);
    p.k = rotate(1.0, frequencies(), config_.kv_heads, batch.positions, p.k);
    return p;
  }

  [[nodiscard]] Values attention_branch(std::size_t l, const Batch& batch, const Values& x) const {
    const Projections p = project(l, batch, x);
    const Values out =
        attention_forward(attention_dims(batch), p.q, p.k, p.v, segments(batch), rule(l)).out;
    return linear(block_name(l, "wo"), config_.q_dim(), config_.dim, out);
  }

  [[nodiscard]] Values attention_branch_backward(std::size_t l, const Batch& batch, const Values& x,
                                                 const Values& d, Parameters<T>& gradients) const {
    const kernels::AttentionDims dims = attention_dims(batch);
    const Projections p = project(l, batch, x);
    const Values out = attention_forward(dims, p.q, p.k, p.v, segments(batch), rule(l)).out;
    const Values dout =
        linear_gradient(block_name(l, "wo"), config_.q_dim(), config_.dim, out, d, gradients);
    auto [dq, dk, dv] = attention_backward(dims, p.q, p.k, p.v, segments(batch), dout, rule(l));
    if (config_.rotates(l)) {
      dq = rotate(-1.0, frequencies(), dims.heads, batch.positions, dq);
      dk = rotate(-1.0, frequencies(), dims.kv_heads, batch.positions, dk);
    }
    if (config_.qk_norm) {
      dq = norm_gradient(block_name(l, "q_norm"), p.raw_q, dq, gradients);
      dk = norm_gradient(block_name(l, "k_norm"), p.raw_k, dk, gradients);
    }
    Values dx =
        linear_gradient(block_name(l, "wq"), config_.dim, config_.q_dim(), x, dq, gradients);
    accumulate(
        dx, linear_gradient(block_name(l, "wk"), config_.dim, config_.kv_dim(), x, dk, gradients));
    accumulate(
        dx, linear_gradient(block_name(l, "wv"), config_.dim, config_.kv_dim(), x, dv, gradients));
    return dx;
  }

  /// What w_down reads, and what that was made of; `gate` is empty where none is.
  struct Hidden {
    Values gate, up, activated;
  };
  [[nodiscard]] Hidden ffn_hidden(std::size_t l, const Values& x) const {
    const auto activation = model::activation_of(config_.activation);
    Hidden h{{}, linear(block_name(l, "w_up"), config_.dim, config_.ffn, x), {}};
    if (model::is_gated(config_.activation)) {
      h.gate = linear(block_name(l, "w_gate"), config_.dim, config_.ffn, x);
      h.activated = gated_activation_forward(activation, h.gate, h.up);
    } else {
      h.activated = activation_forward(activation, h.up);
    }
    return h;
  }

  [[nodiscard]] Values ffn_branch(std::size_t l, const Values& x) const {
    return linear(block_name(l, "w_down"), config_.ffn, config_.dim, ffn_hidden(l, x).activated);
  }

  [[nodiscard]] Values ffn_branch_backward(std::size_t l, const Values& x, const Values& d,
                                           Parameters<T>& gradients) const {
    const auto activation = model::activation_of(config_.activation);
    const Hidden h = ffn_hidden(l, x);
    const Values dhidden = linear_gradient(block_name(l, "w_down"), config_.ffn, config_.dim,
                                           h.activated, d, gradients);
    const auto back = [&](const std::string& weight, const Values& dy) {
      return linear_gradient(block_name(l, weight), config_.dim, config_.ffn, x, dy, gradients);
    };
    if (!model::is_gated(config_.activation)) {
      return back("w_up", activation_backward(activation, h.up, dhidden));
    }
    const auto [dgate, dup] = gated_activation_backward(activation, h.gate, h.up, dhidden);
    return add(back("w_gate", dgate), back("w_up", dup));
  }

  model::ModelConfig config_;
  Parameters<T> parameters_;
  std::vector<float> slopes_;  ///< of ALiBi, or empty
  std::function<void(const std::string&, const Values&)> see_;
};

}  // namespace ballast::reference
