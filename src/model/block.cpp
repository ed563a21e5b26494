#include "model/block.hpp"

#include "kernels/elementwise.hpp"
#include "kernels/norm.hpp"
#include "kernels/swiglu.hpp"

namespace ballast::model {

using kernels::matrix;
using kernels::NormDims;
using kernels::Store;
using kernels::Transpose;

Block::Block(const ModelConfig& config, BatchShape shape, const kernels::Gemm& gemm,
             const kernels::RopeTable& rope)
    : config_{config},
      shape_{shape},
      attention_dims_{shape.sequences, shape.seq_len, config.heads, config.kv_heads,
                      config.head_dim()},
      gemm_{&gemm},
      rope_{&rope} {}

void Block::project(std::span<const float> x, std::span<const float> w, std::span<float> y) const {
  const std::size_t tokens = shape_.tokens();
  const std::size_t in = x.size() / tokens;
  const std::size_t out = y.size() / tokens;
  gemm_->multiply(matrix(x.data(), tokens, in), Transpose::no, matrix(w.data(), out, in),
                  Transpose::yes, matrix(y.data(), tokens, out), Store::overwrite);
}

void Block::project_back(std::span<const float> x, std::span<const float> w,
                         std::span<const float> dy, std::span<float> dx, Store store_dx,
                         std::span<float> dw, Store store_dw) const {
  const std::size_t tokens = shape_.tokens();
  const std::size_t in = x.size() / tokens;
  const std::size_t out = dy.size() / tokens;
  const auto dy_matrix = matrix(dy.data(), tokens, out);
  gemm_->multiply(dy_matrix, Transpose::no, matrix(w.data(), out, in), Transpose::no,
                  matrix(dx.data(), tokens, in), store_dx);
  gemm_->multiply(dy_matrix, Transpose::yes, matrix(x.data(), tokens, in), Transpose::no,
                  matrix(dw.data(), out, in), store_dw);
}

std::span<const std::int32_t> Block::segments_of(const Batch& batch) const {
  return config_.document_attention ? batch.segments : std::span<const std::int32_t>{};
}

float Block::forward(const BlockTensors<const float>& weights, const Batch& batch,
                     std::span<const float> residual, const BlockActivations& saved,
                     const BlockScratch& scratch, std::span<float> out) const {
  const NormDims dims{shape_.tokens(), config_.dim};
  const float epsilon = config_.norm_epsilon;
  const bool pre = config_.norm_placement == NormPlacement::pre;
  const bool post = config_.norm_placement == NormPlacement::post;

  if (pre) {
    kernels::norm_forward(config_.norm, dims, epsilon, residual, weights.attention_norm,
                          saved.attention_input, saved.attention_statistics);
  }
  const auto attention_input = pre ? std::span<const float>{saved.attention_input} : residual;
  const float largest_logit =
      attention_forward(weights, batch, attention_input, saved, scratch, scratch.sublayer);
  kernels::add(residual, scratch.sublayer, post ? saved.attention_sum : saved.mid);
  if (post) {
    kernels::norm_forward(config_.norm, dims, epsilon, saved.attention_sum, weights.attention_norm,
                          saved.mid, saved.attention_statistics);
  }

  if (pre) {
    kernels::norm_forward(config_.norm, dims, epsilon, saved.mid, weights.ffn_norm, saved.ffn_input,
                          saved.ffn_statistics);
  }
  ffn_forward(weights, pre ? saved.ffn_input : saved.mid, saved, scratch, scratch.sublayer);
  kernels::add(saved.mid, scratch.sublayer, post ? saved.ffn_sum : out);
  if (post) {
    kernels::norm_forward(config_.norm, dims, epsilon, saved.ffn_sum, weights.ffn_norm, out,
                          saved.ffn_statistics);
  }
  return largest_logit;
}

void Block::backward(const BlockTensors<const float>& weights, const Batch& batch,
                     std::span<const float> residual, const BlockActivations& saved,
                     const BlockScratch& scratch, std::span<float> gradient,
                     const BlockTensors<float>& gradients, Store store) const {
  const NormDims dims{shape_.tokens(), config_.dim};
  const bool pre = config_.norm_placement == NormPlacement::pre;
  const bool post = config_.norm_placement == NormPlacement::post;
  // With a norm in front, the sublayer's gradient passes through it on its way to the stream;
  // without one it joins the stream as it is.
  const auto sublayer_gradient = pre ? scratch.sublayer : gradient;
  const Store sublayer_store = pre ? Store::overwrite : Store::add;

  if (post) {
    kernels::norm_backward(config_.norm, dims, saved.ffn_sum, weights.ffn_norm,
                           saved.ffn_statistics, gradient, gradient, Store::overwrite,
                           gradients.ffn_norm, store);
  }
  ffn_backward(weights, pre ? saved.ffn_input : saved.mid, saved, scratch, gradient,
               sublayer_gradient, sublayer_store, gradients, store);
  if (pre) {
    kernels::norm_backward(config_.norm, dims, saved.mid, weights.ffn_norm, saved.ffn_statistics,
                           scratch.sublayer, gradient, Store::add, gradients.ffn_norm, store);
  }

  if (post) {
    kernels::norm_backward(config_.norm, dims, saved.attention_sum, weights.attention_norm,
                           saved.attention_statistics, gradient, gradient, Store::overwrite,
                           gradients.attention_norm, store);
  }
  attention_backward(weights, batch, pre ? std::span<const float>{saved.attention_input} : residual,
                     saved, scratch, gradient, sublayer_gradient, sublayer_store, gradients, store);
  if (pre) {
    kernels::norm_backward(config_.norm, dims, residual, weights.attention_norm,
                           saved.attention_statistics, scratch.sublayer, gradient, Store::add,
                           gradients.attention_norm, store);
  }
}

float Block::attention_forward(const BlockTensors<const float>& weights, const Batch& batch,
                               std::span<const float> input, const BlockActivations& saved,
                               const BlockScratch& scratch, std::span<float> out) const {
  const std::size_t tokens = shape_.tokens();
  project(input, weights.wq, config_.qk_norm ? saved.q_raw : saved.q);
  project(input, weights.wk, config_.qk_norm ? saved.k_raw : saved.k);
  project(input, weights.wv, saved.v);
  if (config_.qk_norm) {
    kernels::norm_forward(config_.norm, {tokens * config_.heads, config_.head_dim()},
                          config_.norm_epsilon, saved.q_raw, weights.q_norm, saved.q,
                          saved.q_statistics);
    kernels::norm_forward(config_.norm, {tokens * config_.kv_heads, config_.head_dim()},
                          config_.norm_epsilon, saved.k_raw, weights.k_norm, saved.k,
                          saved.k_statistics);
  }
  kernels::rope(*rope_, kernels::Rotation::forward, batch.positions, config_.heads, saved.q);
  kernels::rope(*rope_, kernels::Rotation::forward, batch.positions, config_.kv_heads, saved.k);
  const float largest_logit = kernels::attention_forward(
      *gemm_, attention_dims_, saved.q, saved.k, saved.v, segments_of(batch), saved.attended,
      saved.log_sum_exp, scratch.attention);
  project(saved.attended, weights.wo, out);
  return largest_logit;
}

void Block::attention_backward(const BlockTensors<const float>& weights, const Batch& batch,
                               std::span<const float> input, const BlockActivations& saved,
                               const BlockScratch& scratch, std::span<const float> dout,
                               std::span<float> dinput, Store store_dinput,
                               const BlockTensors<float>& gradients, Store store) const {
  const std::size_t tokens = shape_.tokens();
  // The feed-forward's wide room is free again by now: d(attended) lies in it.
  const auto dattended = scratch.wide.first(tokens * config_.dim);
  project_back(saved.attended, weights.wo, dout, dattended, Store::overwrite, gradients.wo, store);
  kernels::attention_backward(*gemm_, attention_dims_, saved.q, saved.k, saved.v,
                              segments_of(batch), saved.attended, saved.log_sum_exp, dattended,
                              scratch.dq, scratch.dk, scratch.dv, scratch.attention);
  kernels::rope(*rope_, kernels::Rotation::backward, batch.positions, config_.heads, scratch.dq);
  kernels::rope(*rope_, kernels::Rotation::backward, batch.positions, config_.kv_heads, scratch.dk);
  if (config_.qk_norm) {
    kernels::norm_backward(config_.norm, {tokens * config_.heads, config_.head_dim()}, saved.q_raw,
                           weights.q_norm, saved.q_statistics, scratch.dq, scratch.dq,
                           Store::overwrite, gradients.q_norm, store);
    kernels::norm_backward(config_.norm, {tokens * config_.kv_heads, config_.head_dim()},
                           saved.k_raw, weights.k_norm, saved.k_statistics, scratch.dk, scratch.dk,
                           Store::overwrite, gradients.k_norm, store);
  }
  // `dout` and `dinput` may be one room (no norm in front), so dout is not read any more.
  project_back(input, weights.wq, scratch.dq, dinput, store_dinput, gradients.wq, store);
  project_back(input, weights.wk, scratch.dk, dinput, Store::add, gradients.wk, store);
  project_back(input, weights.wv, scratch.dv, dinput, Store::add, gradients.wv, store);
}

void Block::ffn_forward(const BlockTensors<const float>& weights, std::span<const float> input,
                        const BlockActivations& saved, const BlockScratch& scratch,
                        std::span<float> out) const {
  project(input, weights.w_gate, saved.gate);
  project(input, weights.w_up, saved.up);
  kernels::swiglu_forward(saved.gate, saved.up, scratch.activated);
  project(scratch.activated, weights.w_down, out);
}

void Block::ffn_backward(const BlockTensors<const float>& weights, std::span<const float> input,
                         const BlockActivations& saved, const BlockScratch& scratch,
                         std::span<const float> dout, std::span<float> dinput, Store store_dinput,
                         const BlockTensors<float>& gradients, Store store) const {
  const auto dactivated = scratch.wide.first(saved.gate.size());
  kernels::swiglu_forward(saved.gate, saved.up, scratch.activated);
  project_back(scratch.activated, weights.w_down, dout, dactivated, Store::overwrite,
               gradients.w_down, store);
  kernels::swiglu_backward(saved.gate, saved.up, dactivated, saved.gate, saved.up);
  // `dout` and `dinput` may be one room (no norm in front), so dout is not read any more.
  project_back(input, weights.w_gate, saved.gate, dinput, store_dinput, gradients.w_gate, store);
  project_back(input, weights.w_up, saved.up, dinput, Store::add, gradients.w_up, store);
}

}  // namespace ballast::model
