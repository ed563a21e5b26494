#include "kernels/operations/profiled_operations.hpp"

namespace ballast::kernels {

namespace {

/// Two products a pass, each of half of all pairs of tokens, or of those that a window leaves; a
/// backward makes two passes' worth.
Work attention_work(const AttentionDims& dims, const AttentionRule& rule,
                    const AttentionInput& input, const ConstElements& out, double passes) {
  const bool all = rule.window == 0 || rule.window > dims.seq_len;
  const std::size_t window = all ? dims.seq_len : rule.window;
  const std::size_t twice_the_pairs = dims.sequences * window * (2 * dims.seq_len - window);
  const std::size_t bytes =
      input.q.size_bytes() + input.k.size_bytes() + input.v.size_bytes() + out.size_bytes();
  return {passes * 2.0 * static_cast<double>(twice_the_pairs * dims.dim()),
          passes * static_cast<double>(bytes)};
}

}  // namespace

void ProfiledOperations::multiply(const Operand& a, Transpose transpose_a, const Operand& b,
                                  Transpose transpose_b, const Destination& c, Store store) const {
  operations_->multiply(a, transpose_a, b, transpose_b, c, store);
}

void ProfiledOperations::norm_forward(const NormRule& rule, NormDims dims, const ConstElements& x,
                                      std::span<const float> gain, const Elements& y,
                                      std::span<float> statistics) const {
  const ProfileSpan span{profile_, Region::norm_forward, moves(x.size_bytes() + y.size_bytes())};
  operations_->norm_forward(rule, dims, x, gain, y, statistics);
}

void ProfiledOperations::norm_forward_of_sum(const NormRule& rule, NormDims dims,
                                             const ConstElements& x, std::span<const float> update,
                                             const Elements& sum, std::span<const float> gain,
                                             const Elements& y, std::span<float> statistics) const {
  const ProfileSpan span{
      profile_, Region::norm_forward,
      moves(x.size_bytes() + update.size_bytes() + sum.size_bytes() + y.size_bytes())};
  operations_->norm_forward_of_sum(rule, dims, x, update, sum, gain, y, statistics);
}

void ProfiledOperations::norm_backward(const NormRule& rule, NormDims dims, const ConstElements& x,
                                       std::span<const float> gain,
                                       std::span<const float> statistics, std::span<const float> dy,
                                       std::span<float> dx, Store store_dx,
                                       const GainGradient& dgain,
                                       const Elements& rounded_dx) const {
  const ProfileSpan span{
      profile_, Region::norm_backward,
      moves(x.size_bytes() + dy.size_bytes() + dx.size_bytes() * (store_dx == Store::add ? 2 : 1))};
  operations_->norm_backward(rule, dims, x, gain, statistics, dy, dx, store_dx, dgain, rounded_dx);
}

void ProfiledOperations::rope(const RopeTable& table, Rotation rotation,
                              std::span<const std::int32_t> positions, std::size_t heads,
                              const ConstElements& x, const Elements& y) const {
  const ProfileSpan span{profile_, Region::rope, moves(x.size_bytes() + y.size_bytes())};
  operations_->rope(table, rotation, positions, heads, x, y);
}

float ProfiledOperations::attention_forward(const AttentionDims& dims, const AttentionRule& rule,
                                            const AttentionInput& input, const Elements& out,
                                            std::span<float> log_sum_exp,
                                            std::span<float> scratch) const {
  const ProfileSpan span{profile_, Region::attention_forward,
                         attention_work(dims, rule, input, out, 1.0)};
  return operations_->attention_forward(dims, rule, input, out, log_sum_exp, scratch);
}

void ProfiledOperations::attention_backward(const AttentionDims& dims, const AttentionRule& rule,
                                            const AttentionInput& input, const ConstElements& out,
                                            std::span<const float> log_sum_exp,
                                            const ConstElements& dout,
                                            const AttentionGradient& gradient,
                                            std::span<float> scratch) const {
  const ProfileSpan span{profile_, Region::attention_backward,
                         attention_work(dims, rule, input, out, 2.0)};
  operations_->attention_backward(dims, rule, input, out, log_sum_exp, dout, gradient, scratch);
}

void ProfiledOperations::gated_activation_forward(Activation activation, const ConstElements& gate,
                                                  const ConstElements& up,
                                                  const Elements& out) const {
  const Region region =
      activation == Activation::silu ? Region::swiglu_forward : Region::activation_forward;
  const ProfileSpan span{profile_, region, moves(3 * out.size_bytes())};
  operations_->gated_activation_forward(activation, gate, up, out);
}

void ProfiledOperations::gated_activation_backward(Activation activation, const ConstElements& gate,
                                                   const ConstElements& up,
                                                   const ConstElements& dout, const Elements& dgate,
                                                   const Elements& dup,
                                                   const Elements& activated) const {
  const Region region =
      activation == Activation::silu ? Region::swiglu_backward : Region::activation_backward;
  const ProfileSpan span{profile_, region, moves(6 * gate.size_bytes())};
  operations_->gated_activation_backward(activation, gate, up, dout, dgate, dup, activated);
}

void ProfiledOperations::activation_forward(Activation activation, const ConstElements& x,
                                            const Elements& out) const {
  const ProfileSpan span{profile_, Region::activation_forward,
                         moves(x.size_bytes() + out.size_bytes())};
  operations_->activation_forward(activation, x, out);
}

void ProfiledOperations::activation_backward(Activation activation, const ConstElements& x,
                                             const ConstElements& dout, const Elements& dx,
                                             const Elements& activated) const {
  const ProfileSpan span{
      profile_, Region::activation_backward,
      moves(x.size_bytes() + dout.size_bytes() + dx.size_bytes() + activated.size_bytes())};
  operations_->activation_backward(activation, x, dout, dx, activated);
}

void ProfiledOperations::embedding_forward(std::size_t dim, const RowsOf& tokens,
                                           const RowsOf& positions, const Elements& out) const {
  const std::size_t read = positions.table.empty() ? 1 : 2;
  const ProfileSpan span{profile_, Region::embedding_forward, moves((1 + read) * out.size_bytes())};
  operations_->embedding_forward(dim, tokens, positions, out);
}

void ProfiledOperations::embedding_backward(std::size_t dim, std::span<const std::int32_t> ids,
                                            float factor, std::span<const float> dout,
                                            std::span<float> dtable) const {
  const ProfileSpan span{profile_, Region::embedding_backward, moves(3 * dout.size_bytes())};
  operations_->embedding_backward(dim, ids, factor, dout, dtable);
}

void ProfiledOperations::cross_entropy(std::size_t vocabulary, std::span<const std::int32_t> labels,
                                       std::span<const float> weights, float gradient_scale,
                                       std::span<float> logits, const TokenLosses& losses,
                                       const Elements& dlogits) const {
  const ProfileSpan span{profile_, Region::cross_entropy,
                         moves(3 * logits.size_bytes() + dlogits.size_bytes())};
  operations_->cross_entropy(vocabulary, labels, weights, gradient_scale, logits, losses, dlogits);
}

void ProfiledOperations::cross_entropy_loss(std::size_t vocabulary,
                                            std::span<const std::int32_t> labels,
                                            std::span<const float> logits,
                                            const TokenLosses& losses) const {
  const ProfileSpan span{profile_, Region::cross_entropy, moves(logits.size_bytes())};
  operations_->cross_entropy_loss(vocabulary, labels, logits, losses);
}

void ProfiledOperations::top_tokens(std::size_t vocabulary, std::size_t count,
                                    std::span<const float> logits, std::span<TokenLoss> top) const {
  const ProfileSpan span{profile_, Region::top_tokens, moves(logits.size_bytes())};
  operations_->top_tokens(vocabulary, count, logits, top);
}

void ProfiledOperations::add_bias(std::size_t rows, std::size_t width, std::span<const float> bias,
                                  const Elements& x) const {
  const ProfileSpan span{profile_, Region::bias_forward, moves(2 * x.size_bytes())};
  operations_->add_bias(rows, width, bias, x);
}

void ProfiledOperations::bias_gradient(std::size_t rows, std::size_t width, const ConstElements& dy,
                                       const ColumnSums& dbias) const {
  const ProfileSpan span{profile_, Region::bias_backward, moves(dy.size_bytes())};
  operations_->bias_gradient(rows, width, dy, dbias);
}

void ProfiledOperations::softcap_forward(float cap, std::span<float> logits) const {
  const ProfileSpan span{profile_, Region::softcap_forward, moves(2 * logits.size_bytes())};
  operations_->softcap_forward(cap, logits);
}

void ProfiledOperations::softcap_backward(float cap, std::span<const float> capped,
                                          const Elements& dlogits) const {
  const ProfileSpan span{profile_, Region::softcap_backward,
                         moves(capped.size_bytes() + 2 * dlogits.size_bytes())};
  operations_->softcap_backward(cap, capped, dlogits);
}

void ProfiledOperations::add(const ConstElements& a, std::span<const float> b,
                             const Elements& out) const {
  const ProfileSpan span{profile_, Region::residual,
                         moves(a.size_bytes() + b.size_bytes() + out.size_bytes())};
  operations_->add(a, b, out);
}

void ProfiledOperations::clear(std::span<float> x) const { operations_->clear(x); }

void ProfiledOperations::convert(const ConstElements& x, const Elements& out) const {
  operations_->convert(x, out);
}

std::span<const float> ProfiledOperations::widened(const ConstElements& x,
                                                   std::span<float> room) const {
  return operations_->widened(x, room);
}

bool ProfiledOperations::all_finite(std::span<const float> x) const {
  return operations_->all_finite(x);
}

}  // namespace ballast::kernels
