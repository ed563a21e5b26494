#include "kernels/norm.hpp"
#include "model/block.hpp"
#include "model/rounded.hpp"

namespace ballast::model {

using kernels::Rotation;
using kernels::Store;

kernels::AttentionInput Block::attention_input(const BlockPass& pass) const {
  const std::span<const std::int32_t> everything;
  return {pass.saved.q, pass.saved.k, pass.saved.v,
          config_.document_attention ? pass.batch.segments : everything};
}

Block::Heads Block::queries_of(const BlockPass& pass) const {
  return {config_.heads,    pass.weights.wq,         pass.weights.q_norm,
          pass.saved.q_raw, pass.saved.q_statistics, pass.saved.q};
}

Block::Heads Block::keys_of(const BlockPass& pass) const {
  return {config_.kv_heads, pass.weights.wk,         pass.weights.k_norm,
          pass.saved.k_raw, pass.saved.k_statistics, pass.saved.k};
}

/// Projects, normalises and turns: what attention reads.
void Block::heads_forward(const Heads& heads, const BlockPass& pass,
                          const ConstElements& input) const {
  const Elements& turned = heads.turned;
  if (config_.qk_norm) {
    project(input, heads.weight, heads.raw);
    const ProfileSpan span{profile_, Region::norm_forward,
                           moves(heads.raw.size_bytes() + turned.size_bytes())};
    kernels::norm_forward(config_.norm, {shape_.tokens() * heads.count, config_.head_dim()},
                          config_.norm_epsilon, heads.raw, widened(heads.gain, pass.scratch.gain),
                          turned, heads.statistics.floats(), team_);
  } else {
    project(input, heads.weight, turned);
  }
  const ProfileSpan span{profile_, Region::rope, moves(2 * turned.size_bytes())};
  kernels::rope(*rope_, Rotation::forward, pass.batch.positions, heads.count, turned, turned,
                team_);
}

/// From the gradient of what attention reads to that of the projection, rounded for its products.
ConstElements Block::heads_backward(const Heads& heads, const BlockPass& pass,
                                    std::span<float> gradient, std::span<float> dgain,
                                    Store store) const {
  const Elements room = pass.scratch.gradient_operand;
  const Elements operand = room.empty() ? Elements{gradient} : room.first(gradient.size());
  const ProfileSpan span{profile_, Region::rope, moves(2 * gradient.size_bytes())};
  if (!config_.qk_norm) {
    kernels::rope(*rope_, Rotation::backward, pass.batch.positions, heads.count, gradient, operand,
                  team_);
    return operand;
  }
  kernels::rope(*rope_, Rotation::backward, pass.batch.positions, heads.count, gradient, gradient,
                team_);
  kernels::norm_backward(config_.norm, {shape_.tokens() * heads.count, config_.head_dim()},
                         heads.raw, widened(heads.gain, pass.scratch.gain),
                         heads.statistics.floats(), gradient, gradient, Store::overwrite,
                         {dgain, store, pass.scratch.gain_sums}, room.empty() ? room : operand,
                         team_);
  return operand;
}

Work Block::attention_work(const BlockActivations& saved) const {
  const auto& dims = attention_dims_;
  // Two products, each of half of all pairs of tokens.
  return {2.0 * static_cast<double>(dims.tokens() * dims.seq_len * dims.dim()),
          static_cast<double>(saved.q.size_bytes() + saved.k.size_bytes() + saved.v.size_bytes() +
                              saved.attended.size_bytes())};
}

/// From the sublayer's input to what the heads attended to. Returns the largest logit.
float Block::attend(const BlockPass& pass) const {
  const BlockActivations& saved = pass.saved;
  const auto input = input_of(attention_of(pass), pass.scratch);
  heads_forward(queries_of(pass), pass, input);
  heads_forward(keys_of(pass), pass, input);
  project(input, pass.weights.wv, saved.v);
  const ProfileSpan span{profile_, Region::attention_forward, attention_work(saved)};
  return kernels::attention_forward(*attention_kernel_, attention_dims_, attention_input(pass),
                                    saved.attended, saved.log_sum_exp.floats(),
                                    pass.scratch.attention, team_);
}

/// The whole sublayer, from the block's input to that of the feed-forward.
float Block::attention_forward(const BlockPass& pass) const {
  const auto sublayer = attention_of(pass);
  enter(sublayer, pass.scratch);
  const float largest_logit = attend(pass);
  project(pass.saved.attended, pass.weights.wo, pass.scratch.sublayer);
  pass_on(sublayer, feed_forward_of(pass), pass.scratch);
  return largest_logit;
}

void Block::attention_backward(const BlockPass& pass, std::span<float> gradient,
                               const BlockGradients& gradients, Store store) const {
  const BlockActivations& saved = pass.saved;
  const BlockScratch& scratch = pass.scratch;
  // No product needs its operand's room until the sublayer's input does: d(attended) lies in it.
  const Elements dattended = scratch.operand.first(saved.attended.size());
  const auto dout = operand_of(gradient, scratch);
  project_back(dout, pass.weights.wo, dattended, Store::overwrite);
  weight_gradient(dout, saved.attended, gradients.wo, store);

  {
    const Work once = attention_work(saved);
    const ProfileSpan span{
        profile_, Region::attention_backward, {2.0 * once.flop, 2.0 * once.bytes}};
    kernels::attention_backward(*attention_kernel_, attention_dims_, attention_input(pass),
                                saved.attended, saved.log_sum_exp.floats(), dattended,
                                {scratch.dq, scratch.dk, scratch.dv}, scratch.attention, team_);
  }

  // The gradient of the output is not read any more: that of the input may take its place.
  const auto input = input_again(attention_of(pass), scratch);
  const auto dinput = input_gradient(scratch, gradient);
  const auto project_heads_back = [&](const ConstElements& dy, const ConstElements& weight,
                                      Store store_dinput, std::span<float> dweight) {
    project_back(dy, weight, dinput, store_dinput);
    weight_gradient(dy, input, dweight, store);
  };
  project_heads_back(heads_backward(queries_of(pass), pass, scratch.dq, gradients.q_norm, store),
                     pass.weights.wq, input_store(), gradients.wq);
  project_heads_back(heads_backward(keys_of(pass), pass, scratch.dk, gradients.k_norm, store),
                     pass.weights.wk, Store::add, gradients.wk);
  project_heads_back(scratch.dv, pass.weights.wv, Store::add, gradients.wv);
}

}  // namespace ballast::model
