#include "kernels/norm.hpp"
#include "model/block.hpp"

namespace ballast::model {

using kernels::Rotation;
using kernels::Store;

namespace {

std::span<const std::int32_t> segments_of(const ModelConfig& config, const Batch& batch) {
  return config.document_attention ? batch.segments : std::span<const std::int32_t>{};
}

}  // namespace

Block::Heads Block::queries_of(const BlockPass& pass) const {
  return {config_.heads,    pass.weights.wq,         pass.weights.q_norm,
          pass.saved.q_raw, pass.saved.q_statistics, pass.saved.q};
}

Block::Heads Block::keys_of(const BlockPass& pass) const {
  return {config_.kv_heads, pass.weights.wk,         pass.weights.k_norm,
          pass.saved.k_raw, pass.saved.k_statistics, pass.saved.k};
}

/// Projects, normalises and turns: what attention reads.
std::span<const float> Block::heads_forward(const Heads& heads, const BlockPass& pass,
                                            const ConstElements& input,
                                            std::span<float> room) const {
  const auto turned = heads.turned.draft(room);
  if (config_.qk_norm) {
    const auto raw = heads.raw.draft(room);
    project(input, heads.weight, raw);
    heads.raw.keep(raw);
    const ProfileSpan span{profile_, Region::norm_forward,
                           moves(heads.raw.bytes() + turned.size_bytes())};
    kernels::norm_forward(config_.norm, {shape_.tokens() * heads.count, config_.head_dim()},
                          config_.norm_epsilon, heads.raw.recall(room),
                          widened(heads.gain, pass.scratch.gain), turned,
                          heads.statistics.floats());
  } else {
    project(input, heads.weight, turned);
  }
  {
    const ProfileSpan span{profile_, Region::rope,
                           moves(turned.size_bytes() + heads.turned.bytes())};
    kernels::rope(*rope_, Rotation::forward, pass.batch.positions, heads.count, turned);
    heads.turned.keep(turned);
  }
  return heads.turned.recall(room);
}

/// From the gradient of what attention reads to that of the projection, rounded for its products.
ConstElements Block::heads_backward(const Heads& heads, const BlockPass& pass,
                                    std::span<float> room, std::span<float> gradient,
                                    std::span<float> dgain, Store store) const {
  {
    const ProfileSpan span{profile_, Region::rope, moves(2 * gradient.size_bytes())};
    kernels::rope(*rope_, Rotation::backward, pass.batch.positions, heads.count, gradient);
  }
  if (config_.qk_norm) {
    const ProfileSpan span{profile_, Region::norm_backward,
                           moves(heads.raw.bytes() + 2 * gradient.size_bytes())};
    kernels::norm_backward(config_.norm, {shape_.tokens() * heads.count, config_.head_dim()},
                           heads.raw.recall(room), widened(heads.gain, pass.scratch.gain),
                           heads.statistics.floats(), gradient, gradient, Store::overwrite, dgain,
                           store);
  }
  return rounded(gradient, pass.scratch.gradient_operand);
}

Work Block::attention_work(const BlockActivations& saved) const {
  const auto& dims = attention_dims_;
  // Two products, each of half of all pairs of tokens.
  return {2.0 * static_cast<double>(dims.tokens() * dims.seq_len * dims.dim()),
          static_cast<double>(saved.q.bytes() + saved.k.bytes() + saved.v.bytes() +
                              saved.attended.bytes())};
}

/// From the sublayer's input to what the heads attended to. Returns the largest logit.
float Block::attend(const BlockPass& pass) const {
  const BlockActivations& saved = pass.saved;
  const auto input = input_of(attention_of(pass), pass.scratch);
  Pieces pieces{pass.scratch.staging};
  const auto q = heads_forward(queries_of(pass), pass, input, pieces.take(saved.q.size()));
  const auto k = heads_forward(keys_of(pass), pass, input, pieces.take(saved.k.size()));
  const auto v_room = pieces.take(saved.v.size());
  const auto v = saved.v.draft(v_room);
  project(input, pass.weights.wv, v);
  saved.v.keep(v);
  const auto attended = saved.attended.draft(pieces.take(saved.attended.size()));
  const ProfileSpan span{profile_, Region::attention_forward, attention_work(saved)};
  const float largest_logit = kernels::attention_forward(
      *gemm_, attention_dims_, q, k, saved.v.recall(v_room), segments_of(config_, pass.batch),
      attended, saved.log_sum_exp.floats(), pass.scratch.attention);
  saved.attended.keep(attended);
  return largest_logit;
}

/// The whole sublayer, from the block's input to the stream between the sublayers.
float Block::attention_forward(const BlockPass& pass) const {
  const auto sublayer = attention_of(pass);
  enter(sublayer, pass.scratch);
  const float largest_logit = attend(pass);
  project(pass.saved.attended.operand(), pass.weights.wo, pass.scratch.sublayer);
  leave(sublayer, pass.scratch, pass.saved.mid);
  return largest_logit;
}

void Block::attention_backward(const BlockPass& pass, std::span<float> gradient,
                               const BlockGradients& gradients, Store store) const {
  const BlockActivations& saved = pass.saved;
  const BlockScratch& scratch = pass.scratch;
  // The feed-forward's wide room is free again by now: d(attended) lies in it.
  const auto dattended = scratch.wide.first(saved.attended.size());
  project_back(saved.attended.operand(), pass.weights.wo,
               rounded(gradient, scratch.gradient_operand), dattended, Store::overwrite,
               gradients.wo, store);
  Pieces pieces{scratch.staging};
  const auto q_room = pieces.take(saved.q.size());
  const auto k_room = pieces.take(saved.k.size());
  const auto v = saved.v.recall(pieces.take(saved.v.size()));
  const auto attended = saved.attended.recall(pieces.take(saved.attended.size()));
  {
    const Work once = attention_work(saved);
    const ProfileSpan span{
        profile_, Region::attention_backward, {2.0 * once.flop, 2.0 * once.bytes}};
    kernels::attention_backward(*gemm_, attention_dims_, saved.q.recall(q_room),
                                saved.k.recall(k_room), v, segments_of(config_, pass.batch),
                                attended, saved.log_sum_exp.floats(), dattended, scratch.dq,
                                scratch.dk, scratch.dv, scratch.attention);
  }

  // The gradient of the output is not read any more: that of the input may take its place.
  const auto input = input_of(attention_of(pass), scratch);
  const auto dinput = input_gradient(scratch, gradient);
  const auto dq =
      heads_backward(queries_of(pass), pass, q_room, scratch.dq, gradients.q_norm, store);
  project_back(input, pass.weights.wq, dq, dinput, input_store(), gradients.wq, store);
  const auto dk = heads_backward(keys_of(pass), pass, k_room, scratch.dk, gradients.k_norm, store);
  project_back(input, pass.weights.wk, dk, dinput, Store::add, gradients.wk, store);
  const auto dv = rounded(scratch.dv, scratch.gradient_operand);
  project_back(input, pass.weights.wv, dv, dinput, Store::add, gradients.wv, store);
}

}  // namespace ballast::model
