#include "model/attention_layer.hpp"

#include "model/attention_lists.hpp"
#include "model/linear.hpp"

namespace ballast::model {

using kernels::Rotation;
using kernels::Store;

using namespace attention;  // what the lists hold

SublayerSpec AttentionLayer::list(const ModelConfig& config) {
  const std::size_t dim = config.dim;
  const std::size_t kv_dim = config.kv_dim();
  const std::size_t if_qk_norm = config.qk_norm ? 1 : 0;
  const double std = config.init_std;
  using enum TensorRole;
  const auto fp32 = KeptSpec::Type::fp32;
  return {
      .kind = SublayerKind::attention,
      .norm = "attention_norm",
      .tensors = {{"wq", "q", {dim, dim}, query, std},
                  {"wk", "k", {kv_dim, dim}, key, std},
                  {"wv", "v", {kv_dim, dim}, linear, std},
                  {"q_norm", "", {if_qk_norm * config.head_dim()}, gain},
                  {"k_norm", "", {if_qk_norm * config.head_dim()}, gain},
                  {"wo", "out", {dim, dim}, linear, config.residual_std()}},
      .kept = {{"q_raw", if_qk_norm * dim},  // before qk_norm
               {"k_raw", if_qk_norm * kv_dim},
               {"q_statistics", if_qk_norm * 2 * config.heads, fp32},
               {"k_statistics", if_qk_norm * 2 * config.kv_heads, fp32},
               {"q", dim},  // as attention reads it
               {"k", kv_dim},
               {"v", kv_dim},
               {"log_sum_exp", config.heads, fp32},
               {"attended", dim}},
      .operand_width = dim,
      .norms_a_token = config.heads,
      .norm_width = config.head_dim(),
      .attention_dim = dim,
  };
}

AttentionLayer::AttentionLayer(const ModelConfig& config, BatchShape shape, ElementType compute,
                               const kernels::Operations& operations)
    : config_{config},
      spec_{list(config)},
      compute_{compute},
      dims_{shape.sequences, shape.seq_len, config.heads, config.kv_heads, config.head_dim()},
      rope_{shape.seq_len, config.head_dim(), config.rope_base},
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
  return {config_.heads, wq, q_norm, q_raw, q_statistics, q};
}

AttentionLayer::Heads AttentionLayer::keys() const {
  return {config_.kv_heads, wk, k_norm, k_raw, k_statistics, k};
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
    project(*operations_, dims_.tokens(), input, pass.weights[heads.weight], raw);
    operations_->norm_forward(config_.norm_rule(), norm_dims(heads), raw,
                              operations_->widened(pass.weights[heads.gain], pass.gain), rotated,
                              pass.kept[heads.statistics].floats());
  } else {
    project(*operations_, dims_.tokens(), input, pass.weights[heads.weight], rotated);
  }
  operations_->rope(rope_, Rotation::forward, pass.batch.positions, heads.count, rotated, rotated);
}

/// From the gradient of what attention reads to that of the projection, rounded for its products.
ConstElements AttentionLayer::heads_backward(const Heads& heads, const SublayerPass& pass,
                                             std::span<float> gradient,
                                             const TensorGradients& gradients) const {
  const Elements room = pass.gradient_operand;
  const Elements operand = room.empty() ? Elements{gradient} : room.first(gradient.size());
  operations_->rope(rope_, Rotation::backward, pass.batch.positions, heads.count, gradient,
                    config_.qk_norm ? Elements{gradient} : operand);
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
  project(*operations_, dims_.tokens(), input, pass.weights[wv], pass.kept[v]);
  return operations_->attention_forward(dims_, rule_, input_of(pass), pass.kept[attended],
                                        pass.kept[log_sum_exp].floats(),
                                        pass.rooms[tiles].floats());
}

std::optional<AttentionSignals> AttentionLayer::forward(const SublayerPass& pass,
                                                        const ConstElements& input,
                                                        std::span<float> out) const {
  const float largest_logit = attend(pass, input);
  project(*operations_, dims_.tokens(), pass.kept[attended], pass.weights[wo], out);
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
  weight_gradient(*operations_, dims_.tokens(), dout, pass.kept[attended], gradients.values[wo],
                  gradients.store);
  operations_->attention_backward(
      dims_, rule_, input_of(pass), pass.kept[attended], pass.kept[log_sum_exp].floats(), dattended,
      {pass.rooms[dq], pass.rooms[dk], pass.rooms[dv]}, pass.rooms[tiles].floats());
}

void AttentionLayer::backward_of_input(const SublayerPass& pass, const ConstElements& input,
                                       const InputGradient& dinput,
                                       const TensorGradients& gradients) const {
  const auto backward = [&](const ConstElements& dy, std::size_t weight, Store store) {
    project_back(*operations_, dims_.tokens(), dy, pass.weights[weight], dinput.values, store);
    weight_gradient(*operations_, dims_.tokens(), dy, input, gradients.values[weight],
                    gradients.store);
  };
  backward(heads_backward(queries(), pass, pass.rooms[dq].floats(), gradients), wq, dinput.store);
  backward(heads_backward(keys(), pass, pass.rooms[dk].floats(), gradients), wk, Store::add);
  backward(pass.rooms[dv], wv, Store::add);
}

}  // namespace ballast::model
