#include "model/attention_layer.hpp"

#include <algorithm>

#include "model/attention_lists.hpp"
#include "model/linear.hpp"

namespace ballast::model {

using kernels::Rotation;
using kernels::Store;

using namespace attention;  // what the lists hold

std::vector<float> alibi_slopes_of(const ModelConfig& config) {
  if (config.position != Position::alibi) return {};
  return kernels::alibi_slopes(config.heads);
}

kernels::AttentionRule attention_rule(const ModelConfig& config, std::size_t layer,
                                      std::span<const float> slopes) {
  return {.scale = config.attention_scale,
          .window = config.window.of(layer),
          .softcap = config.attention_softcap,
          .slopes = slopes};
}

SublayerSpec AttentionLayer::list(const ModelConfig& config) {
  const std::size_t dim = config.dim;
  const std::size_t q_dim = config.q_dim();
  const std::size_t kv_dim = config.kv_dim();
  const std::size_t if_bias = config.biases.qkv ? 1 : 0;
  const std::size_t if_output_bias = config.biases.attention_output ? 1 : 0;
  const std::size_t if_qk_norm = config.qk_norm ? 1 : 0;
  const double std = config.init_std;
  using enum TensorRole;
  const auto fp32 = KeptSpec::Type::fp32;
  return {
      .kind = SublayerKind::attention,
      .norm = "attention_norm",
      .output_norm = "attention_output_norm",
      .tensors = {{"wq", "q", {q_dim, dim}, query, std},
                  {"wk", "k", {kv_dim, dim}, key, std},
                  {"wv", "v", {kv_dim, dim}, linear, std},
                  {"q_norm", "", {if_qk_norm * config.head_dim()}, gain},
                  {"k_norm", "", {if_qk_norm * config.head_dim()}, gain},
                  {"wo", "out", {dim, q_dim}, linear, config.residual_std()},
                  {"bq", "", {if_bias * q_dim}, bias},
                  {"bk", "", {if_bias * kv_dim}, bias},
                  {"bv", "", {if_bias * kv_dim}, bias},
                  {"bo", "", {if_output_bias * dim}, bias}},
      .kept = {{"q_raw", if_qk_norm * q_dim},  // before qk_norm
               {"k_raw", if_qk_norm * kv_dim},
               {"q_statistics", if_qk_norm * 2 * config.heads, fp32},
               {"k_statistics", if_qk_norm * 2 * config.kv_heads, fp32},
               {"q", q_dim},  // as attention reads it
               {"k", kv_dim},
               {"v", kv_dim},
               {"log_sum_exp", config.heads, fp32},
               {"attended", q_dim}},
      .operand_width = std::max(dim, q_dim),
      .gradient_width = q_dim,
      .norms_a_token = config.heads,
      .attention_dim = q_dim,
  };
}

AttentionLayer::AttentionLayer(const ModelConfig& config, BatchShape shape, ElementType compute,
                               const kernels::Operations& operations)
    : config_{config},
      spec_{list(config)},
      compute_{compute},
      dims_{shape.sequences, shape.seq_len, config.heads, config.kv_heads, config.head_dim()},
      rope_{shape.seq_len, config.head_dim(), config.rope},
      slopes_{alibi_slopes_of(config)},
      operations_{&operations} {}

std::vector<RoomSpec> AttentionLayer::rooms(std::size_t workers) const {
  const std::size_t tokens = dims_.tokens();
  using enum RoomSpec::Use;
  return {{"tiles", kernels::attention_scratch_numel(dims_, workers), ElementType::fp32, always},
          {"dq", tokens * dims_.dim(), ElementType::fp32, backward},
          {"dk", tokens * dims_.kv_dim(), ElementType::fp32, backward},
          {"dv", tokens * dims_.kv_dim(), compute_, backward}};
}

AttentionLayer::Heads AttentionLayer::queries() const {
  return {config_.heads, {wq, bq}, q_norm, q_raw, q_statistics, q};
}

AttentionLayer::Heads AttentionLayer::keys() const {
  return {config_.kv_heads, {wk, bk}, k_norm, k_raw, k_statistics, k};
}

kernels::AttentionInput AttentionLayer::input_of(const SublayerPass& pass) const {
  const std::span<const std::int32_t> everything;
  return {pass.kept[q], pass.kept[k], pass.kept[v],
          config_.document_attention ? pass.batch.segments : everything};
}

/// Projects, normalizes and rotates: what attention reads.
void AttentionLayer::heads_forward(const Heads& heads, const SublayerPass& pass,
                                   const ConstElements& input) const {
  const Elements& rotated = pass.kept[heads.rotated];
  if (config_.qk_norm) {
    const Elements& raw = pass.kept[heads.raw];
    project(*operations_, dims_.tokens(), input, pass, heads.linear, raw);
    operations_->norm_forward(config_.norm_rule(), norm_dims(heads), raw,
                              operations_->widened(pass.weights[heads.gain], pass.gain), rotated,
                              pass.kept[heads.statistics].floats());
  } else {
    project(*operations_, dims_.tokens(), input, pass, heads.linear, rotated);
  }
  if (!config_.rotates(pass.layer)) return;
  operations_->rope(rope_, Rotation::forward, pass.batch.positions, heads.count, rotated, rotated);
}

/// From the gradient of what attention reads to that of the projection, rounded for its products.
ConstElements AttentionLayer::heads_backward(const Heads& heads, const SublayerPass& pass,
                                             std::span<float> gradient,
                                             const TensorGradients& gradients) const {
  const Elements room = pass.gradient_operand;
  const Elements operand = room.empty() ? Elements{gradient} : room.first(gradient.size());
  const Elements turned = config_.qk_norm ? Elements{gradient} : operand;
  if (config_.rotates(pass.layer)) {
    operations_->rope(rope_, Rotation::backward, pass.batch.positions, heads.count, gradient,
                      turned);
  } else if (turned.data() != Elements{gradient}.data()) {
    operations_->convert(ConstElements{gradient}, turned);
  }
  if (!config_.qk_norm) return operand;
  operations_->norm_backward(config_.norm_rule(), norm_dims(heads), pass.kept[heads.raw],
                             operations_->widened(pass.weights[heads.gain], pass.gain),
                             pass.kept[heads.statistics].floats(), gradient, gradient,
                             Store::overwrite,
                             {gradients.values[heads.gain], gradients.store, pass.gain_sums},
                             room.empty() ? room : operand);
  return operand;
}

/// From the input to what the heads attended to. Returns the largest logit.
float AttentionLayer::attend(const SublayerPass& pass, const ConstElements& input) const {
  heads_forward(queries(), pass, input);
  heads_forward(keys(), pass, input);
  project(*operations_, dims_.tokens(), input, pass, {wv, bv}, pass.kept[v]);
  return operations_->attention_forward(
      dims_, attention_rule(config_, pass.layer, slopes_), input_of(pass), pass.kept[attended],
      pass.kept[log_sum_exp].floats(), pass.rooms[tiles].floats());
}

std::optional<AttentionSignals> AttentionLayer::forward(const SublayerPass& pass,
                                                        const ConstElements& input,
                                                        std::span<float> out) const {
  const float largest_logit = attend(pass, input);
  project(*operations_, dims_.tokens(), pass.kept[attended], pass, {wo, bo}, out);
  return AttentionSignals{largest_logit, pass.kept[log_sum_exp].floats()};
}

void AttentionLayer::recompute(const SublayerPass& pass, const ConstElements& input) const {
  attend(pass, input);
}

void AttentionLayer::backward_of_output(const SublayerPass& pass, const ConstElements& dout,
                                        const TensorGradients& gradients) const {
  // No product needs its operand's room until the sublayer's input does: d(attended) lies in it.
  const Elements dattended = pass.operand.first(pass.kept[attended].size());
  project_back(*operations_, dims_.tokens(), dout, pass.weights[wo], dattended, Store::overwrite);
  linear_gradients(*operations_, dims_.tokens(), dout, pass.kept[attended], pass, {wo, bo},
                   gradients);
  operations_->attention_backward(
      dims_, attention_rule(config_, pass.layer, slopes_), input_of(pass), pass.kept[attended],
      pass.kept[log_sum_exp].floats(), dattended, {pass.rooms[dq], pass.rooms[dk], pass.rooms[dv]},
      pass.rooms[tiles].floats());
}

void AttentionLayer::backward_of_input(const SublayerPass& pass, const ConstElements& input,
                                       const InputGradient& dinput,
                                       const TensorGradients& gradients) const {
  const auto backward = [&](const ConstElements& dy, const LinearTensors& linear, Store store) {
    project_back(*operations_, dims_.tokens(), dy, pass.weights[linear.weight], dinput.values,
                 store);
    linear_gradients(*operations_, dims_.tokens(), dy, input, pass, linear, gradients);
  };
  const auto heads = [&](const Heads& which, std::size_t room) {
    return heads_backward(which, pass, pass.rooms[room].floats(), gradients);
  };
  backward(heads(queries(), dq), {wq, bq}, dinput.store);
  backward(heads(keys(), dk), {wk, bk}, Store::add);
  backward(pass.rooms[dv], {wv, bv}, Store::add);
}

}  // namespace ballast::model
