#include "model/block.hpp"

#include "kernels/elementwise.hpp"
#include "kernels/norm.hpp"

namespace ballast::model {

using kernels::matrix;
using kernels::Operand;
using kernels::Store;
using kernels::Transpose;

Block::Block(const ModelConfig& config, BatchShape shape, const kernels::Gemm& gemm,
             const kernels::RopeTable& rope, Profile* profile)
    : config_{config},
      shape_{shape},
      attention_dims_{shape.sequences, shape.seq_len, config.heads, config.kv_heads,
                      config.head_dim()},
      gemm_{&gemm},
      rope_{&rope},
      profile_{profile} {}

void Block::project(const ConstElements& x, const ConstElements& w, std::span<float> y) const {
  const std::size_t tokens = shape_.tokens();
  const std::size_t in = x.size() / tokens;
  const std::size_t out = y.size() / tokens;
  gemm_->multiply(Operand{x, tokens, in}, Transpose::no, Operand{w, out, in}, Transpose::yes,
                  matrix(y.data(), tokens, out), Store::overwrite);
}

void Block::project_back(const ConstElements& x, const ConstElements& w, const ConstElements& dy,
                         std::span<float> dx, Store store_dx, std::span<float> dw,
                         Store store_dw) const {
  const std::size_t tokens = shape_.tokens();
  const std::size_t in = x.size() / tokens;
  const std::size_t out = dy.size() / tokens;
  const Operand dy_matrix{dy, tokens, out};
  gemm_->multiply(dy_matrix, Transpose::no, Operand{w, out, in}, Transpose::no,
                  matrix(dx.data(), tokens, in), store_dx);
  gemm_->multiply(dy_matrix, Transpose::yes, Operand{x, tokens, in}, Transpose::no,
                  matrix(dw.data(), out, in), store_dw);
}

Block::Sublayer Block::attention_of(const BlockPass& pass) {
  return {pass.residual, pass.saved.attention_input, pass.saved.attention_sum,
          pass.saved.attention_statistics, pass.weights.attention_norm};
}

Block::Sublayer Block::feed_forward_of(const BlockPass& pass) {
  return {pass.saved.mid, pass.saved.ffn_input, pass.saved.ffn_sum, pass.saved.ffn_statistics,
          pass.weights.ffn_norm};
}

float Block::forward(const BlockPass& pass, const Kept& out) const {
  const float largest_logit = attention_forward(pass);
  expand(pass);
  contract(pass, out);
  return largest_logit;
}

void Block::recompute(Recompute what, const BlockPass& pass, const Kept& out) const {
  switch (what) {
    case Recompute::none:
      return;
    case Recompute::attention:
      attend(pass);
      return;
    case Recompute::feed_forward:
      expand(pass);
      return;
    case Recompute::full:
      attention_forward(pass);
      expand(pass);
      // Only a norm behind the feed-forward asks for its output.
      if (is_post()) contract(pass, out);
      return;
  }
}

void Block::backward(const BlockPass& pass, std::span<float> gradient,
                     const BlockGradients& gradients, Store store) const {
  const auto feed_forward = feed_forward_of(pass);
  leave_backward(feed_forward, pass.scratch, gradient, gradients.ffn_norm, store);
  feed_forward_backward(pass, gradient, gradients, store);
  enter_backward(feed_forward, pass.scratch, gradient, gradients.ffn_norm, store);

  const auto attention = attention_of(pass);
  leave_backward(attention, pass.scratch, gradient, gradients.attention_norm, store);
  attention_backward(pass, gradient, gradients, store);
  enter_backward(attention, pass.scratch, gradient, gradients.attention_norm, store);
}

/// Normalises the stream for a sublayer that wants it so.
void Block::enter(const Sublayer& sublayer, const BlockScratch& scratch) const {
  if (!is_pre()) return;
  const ProfileSpan span{profile_, Region::norm_forward,
                         moves(sublayer.stream.bytes() + sublayer.input.bytes())};
  const auto input = sublayer.input.draft(scratch.staging);
  kernels::norm_forward(config_.norm, {shape_.tokens(), config_.dim}, config_.norm_epsilon,
                        sublayer.stream.recall(scratch.stream),
                        widened(sublayer.gain, scratch.gain), input, sublayer.statistics.floats());
  sublayer.input.keep(input);
}

/// What a sublayer's products read: its normalised input, or the stream itself.
ConstElements Block::input_of(const Sublayer& sublayer, const BlockScratch& scratch) const {
  if (is_pre()) return sublayer.input.operand();
  if (sublayer.stream.type() == scratch.operand.type()) return sublayer.stream.operand();
  return rounded(sublayer.stream.recall(scratch.stream), scratch.operand);
}

/// Adds the sublayer's result, in scratch.sublayer, to the stream.
void Block::leave(const Sublayer& sublayer, const BlockScratch& scratch, const Kept& out) const {
  const Kept& sum = is_post() ? sublayer.sum : out;
  {
    const ProfileSpan span{
        profile_, Region::residual,
        moves(sublayer.stream.bytes() + scratch.sublayer.size_bytes() + sum.bytes())};
    const auto added = sum.draft(scratch.stream);
    kernels::add(sublayer.stream.recall(scratch.stream), scratch.sublayer, added);
    sum.keep(added);
  }
  if (!is_post()) return;
  const ProfileSpan span{profile_, Region::norm_forward, moves(sum.bytes() + out.bytes())};
  const auto normed = out.draft(scratch.stream);
  kernels::norm_forward(config_.norm, {shape_.tokens(), config_.dim}, config_.norm_epsilon,
                        sum.recall(scratch.stream), widened(sublayer.gain, scratch.gain), normed,
                        sublayer.statistics.floats());
  out.keep(normed);
}

void Block::leave_backward(const Sublayer& sublayer, const BlockScratch& scratch,
                           std::span<float> gradient, std::span<float> dgain, Store store) const {
  if (!is_post()) return;
  const ProfileSpan span{profile_, Region::norm_backward,
                         moves(sublayer.sum.bytes() + 2 * gradient.size_bytes())};
  kernels::norm_backward(config_.norm, {shape_.tokens(), config_.dim},
                         sublayer.sum.recall(scratch.stream), widened(sublayer.gain, scratch.gain),
                         sublayer.statistics.floats(), gradient, gradient, Store::overwrite, dgain,
                         store);
}

void Block::enter_backward(const Sublayer& sublayer, const BlockScratch& scratch,
                           std::span<float> gradient, std::span<float> dgain, Store store) const {
  if (!is_pre()) return;
  const ProfileSpan span{
      profile_, Region::norm_backward,
      moves(sublayer.stream.bytes() + scratch.sublayer.size_bytes() + 2 * gradient.size_bytes())};
  kernels::norm_backward(config_.norm, {shape_.tokens(), config_.dim},
                         sublayer.stream.recall(scratch.stream),
                         widened(sublayer.gain, scratch.gain), sublayer.statistics.floats(),
                         scratch.sublayer, gradient, Store::add, dgain, store);
}

}  // namespace ballast::model
