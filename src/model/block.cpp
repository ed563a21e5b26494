#include "model/block.hpp"

#include "kernels/elementwise.hpp"
#include "kernels/norm.hpp"
#include "model/rounded.hpp"

namespace ballast::model {

using kernels::Destination;
using kernels::matrix;
using kernels::Operand;
using kernels::Store;
using kernels::Transpose;

Block::Block(const ModelConfig& config, BatchShape shape, ElementType compute,
             const kernels::Gemm& gemm, const kernels::RopeTable& rope, Profile* profile,
             Team* team)
    : config_{config},
      shape_{shape},
      attention_dims_{shape.sequences, shape.seq_len, config.heads, config.kv_heads,
                      config.head_dim()},
      attention_kernel_{kernels::make_panel_kernel(compute)},
      gemm_{&gemm},
      rope_{&rope},
      profile_{profile},
      team_{team} {}

void Block::project(const ConstElements& x, const ConstElements& w, const Elements& y) const {
  const std::size_t tokens = shape_.tokens();
  const std::size_t in = x.size() / tokens;
  const std::size_t out = y.size() / tokens;
  gemm_->multiply(Operand{x, tokens, in}, Transpose::no, Operand{w, out, in}, Transpose::yes,
                  Destination{y, tokens, out}, Store::overwrite);
}

void Block::project_back(const ConstElements& dy, const ConstElements& w, const Elements& dx,
                         Store store) const {
  const std::size_t tokens = shape_.tokens();
  const std::size_t in = dx.size() / tokens;
  const std::size_t out = dy.size() / tokens;
  gemm_->multiply(Operand{dy, tokens, out}, Transpose::no, Operand{w, out, in}, Transpose::no,
                  Destination{dx, tokens, in}, store);
}

void Block::weight_gradient(const ConstElements& dy, const ConstElements& x, std::span<float> dw,
                            Store store) const {
  const std::size_t tokens = shape_.tokens();
  const std::size_t in = x.size() / tokens;
  const std::size_t out = dy.size() / tokens;
  gemm_->multiply(Operand{dy, tokens, out}, Transpose::yes, Operand{x, tokens, in}, Transpose::no,
                  matrix(dw.data(), out, in), store);
}

Block::Sublayer Block::attention_of(const BlockPass& pass) const {
  return {pass.residual, input_room(pass.scratch), pass.saved.attention_sum,
          pass.saved.attention_statistics, pass.weights.attention_norm};
}

Block::Sublayer Block::feed_forward_of(const BlockPass& pass) const {
  return {pass.saved.mid, input_room(pass.scratch), pass.saved.ffn_sum, pass.saved.ffn_statistics,
          pass.weights.ffn_norm};
}

float Block::forward(const BlockPass& pass, const Elements& out) const {
  const float largest_logit = attention_forward(pass);
  expand(pass);
  contract(pass, out);
  return largest_logit;
}

void Block::recompute(Recompute what, const BlockPass& pass, const Elements& out) const {
  switch (what) {
    case Recompute::none:
      return;
    case Recompute::attention:
      enter(attention_of(pass), pass.scratch);
      attend(pass);
      return;
    case Recompute::feed_forward:
      enter(feed_forward_of(pass), pass.scratch);
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
                         moves(sublayer.stream.size_bytes() + sublayer.input.size_bytes())};
  kernels::norm_forward(config_.norm, norm_dims(), config_.norm_epsilon, sublayer.stream,
                        widened(sublayer.gain, scratch.gain), sublayer.input,
                        sublayer.statistics.floats(), team_);
}

/// What a sublayer's products read: its normalised input, or the stream itself.
ConstElements Block::input_of(const Sublayer& sublayer, const BlockScratch& scratch) const {
  return is_pre() ? sublayer.input : rounded(sublayer.stream, scratch.operand, team_);
}

/// The same in a backward: nobody keeps the normalised input, since one pass over the stream, which
/// its norm's backward reads anyway, gives it again.
ConstElements Block::input_again(const Sublayer& sublayer, const BlockScratch& scratch) const {
  enter(sublayer, scratch);
  return input_of(sublayer, scratch);
}

/// Adds the sublayer's result, in scratch.sublayer, to the stream.
void Block::leave(const Sublayer& sublayer, const BlockScratch& scratch,
                  const Elements& out) const {
  const ProfileSpan span{
      profile_, is_post() ? Region::norm_forward : Region::residual,
      moves(sublayer.stream.size_bytes() + scratch.sublayer.size_bytes() + out.size_bytes())};
  if (!is_post()) return kernels::add(sublayer.stream, scratch.sublayer, out, team_);
  kernels::norm_forward_of_sum(config_.norm, norm_dims(), config_.norm_epsilon, sublayer.stream,
                               scratch.sublayer, sublayer.sum, widened(sublayer.gain, scratch.gain),
                               out, sublayer.statistics.floats(), team_);
}

/// Leaves one sublayer and enters the next, in one pass over the stream where a norm lies between.
void Block::pass_on(const Sublayer& sublayer, const Sublayer& next,
                    const BlockScratch& scratch) const {
  if (!is_pre()) return leave(sublayer, scratch, next.stream);
  const ProfileSpan span{profile_, Region::norm_forward,
                         moves(sublayer.stream.size_bytes() + scratch.sublayer.size_bytes() +
                               next.stream.size_bytes() + next.input.size_bytes())};
  kernels::norm_forward_of_sum(config_.norm, norm_dims(), config_.norm_epsilon, sublayer.stream,
                               scratch.sublayer, next.stream, widened(next.gain, scratch.gain),
                               next.input, next.statistics.floats(), team_);
}

/// Prepares the gradient for the sublayer's products: past its norm, and rounded.
void Block::leave_backward(const Sublayer& sublayer, const BlockScratch& scratch,
                           std::span<float> gradient, std::span<float> dgain, Store store) const {
  if (is_pre()) return;
  const ProfileSpan span{profile_, Region::norm_backward,
                         moves(sublayer.sum.size_bytes() + 2 * gradient.size_bytes())};
  if (!is_post()) {
    if (!scratch.gradient_operand.empty())
      kernels::narrow(gradient, scratch.gradient_operand, team_);
    return;
  }
  kernels::norm_backward(config_.norm, norm_dims(), sublayer.sum,
                         widened(sublayer.gain, scratch.gain), sublayer.statistics.floats(),
                         gradient, gradient, Store::overwrite, {dgain, store, scratch.gain_sums},
                         scratch.gradient_operand, team_);
}

void Block::enter_backward(const Sublayer& sublayer, const BlockScratch& scratch,
                           std::span<float> gradient, std::span<float> dgain, Store store) const {
  if (!is_pre()) return;
  const ProfileSpan span{profile_, Region::norm_backward,
                         moves(sublayer.stream.size_bytes() + scratch.sublayer.size_bytes() +
                               2 * gradient.size_bytes())};
  kernels::norm_backward(config_.norm, norm_dims(), sublayer.stream,
                         widened(sublayer.gain, scratch.gain), sublayer.statistics.floats(),
                         scratch.sublayer, gradient, Store::add, {dgain, store, scratch.gain_sums},
                         scratch.gradient_operand, team_);
}

}  // namespace ballast::model
