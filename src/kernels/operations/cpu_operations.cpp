#include "kernels/operations/cpu_operations.hpp"

#include "kernels/convert.hpp"
#include "kernels/elementwise.hpp"
#include "kernels/embedding.hpp"
#include "kernels/gated_activation.hpp"
#include "kernels/operations/profiled_operations.hpp"
#include "kernels/softcap.hpp"
#include "kernels/ungated_activation.hpp"

namespace ballast::kernels {

void CpuOperations::multiply(const Operand& a, Transpose transpose_a, const Operand& b,
                             Transpose transpose_b, const Destination& c, Store store) const {
  gemm_->multiply(a, transpose_a, b, transpose_b, c, store);
}

void CpuOperations::norm_forward(const NormRule& rule, NormDims dims, const ConstElements& x,
                                 std::span<const float> gain, const Elements& y,
                                 std::span<float> statistics) const {
  kernels::norm_forward(rule, dims, x, gain, y, statistics, team_);
}

void CpuOperations::norm_forward_of_sum(const NormRule& rule, NormDims dims, const ConstElements& x,
                                        std::span<const float> update, const Elements& sum,
                                        std::span<const float> gain, const Elements& y,
                                        std::span<float> statistics) const {
  kernels::norm_forward_of_sum(rule, dims, x, update, sum, gain, y, statistics, team_);
}

void CpuOperations::norm_backward(const NormRule& rule, NormDims dims, const ConstElements& x,
                                  std::span<const float> gain, std::span<const float> statistics,
                                  std::span<const float> dy, std::span<float> dx, Store store_dx,
                                  const GainGradient& dgain, const Elements& rounded_dx) const {
  kernels::norm_backward(rule, dims, x, gain, statistics, dy, dx, store_dx, dgain, rounded_dx,
                         team_);
}

void CpuOperations::rope(const RopeTable& table, Rotation rotation,
                         std::span<const std::int32_t> positions, std::size_t heads,
                         const ConstElements& x, const Elements& y) const {
  kernels::rope(table, rotation, positions, heads, x, y, team_);
}

float CpuOperations::attention_forward(const AttentionDims& dims, const AttentionRule& rule,
                                       const AttentionInput& input, const Elements& out,
                                       std::span<float> log_sum_exp,
                                       std::span<float> scratch) const {
  return kernels::attention_forward(*attention_kernel_, dims, rule, input, out, log_sum_exp,
                                    scratch, team_);
}

void CpuOperations::attention_backward(const AttentionDims& dims, const AttentionRule& rule,
                                       const AttentionInput& input, const ConstElements& out,
                                       std::span<const float> log_sum_exp,
                                       const ConstElements& dout, const AttentionGradient& gradient,
                                       std::span<float> scratch) const {
  kernels::attention_backward(*attention_kernel_, dims, rule, input, out, log_sum_exp, dout,
                              gradient, scratch, team_);
}

void CpuOperations::gated_activation_forward(Activation activation, const ConstElements& gate,
                                             const ConstElements& up, const Elements& out) const {
  kernels::gated_activation_forward(activation, gate, up, out, team_);
}

void CpuOperations::gated_activation_backward(Activation activation, const ConstElements& gate,
                                              const ConstElements& up, const ConstElements& dout,
                                              const Elements& dgate, const Elements& dup,
                                              const Elements& activated) const {
  kernels::gated_activation_backward(activation, gate, up, dout, dgate, dup, activated, team_);
}

void CpuOperations::activation_forward(Activation activation, const ConstElements& x,
                                       const Elements& out) const {
  kernels::activation_forward(activation, x, out, team_);
}

void CpuOperations::activation_backward(Activation activation, const ConstElements& x,
                                        const ConstElements& dout, const Elements& dx,
                                        const Elements& activated) const {
  kernels::activation_backward(activation, x, dout, dx, activated, team_);
}

void CpuOperations::embedding_forward(std::size_t dim, const RowsOf& tokens,
                                      const RowsOf& positions, const Elements& out) const {
  kernels::embedding_forward(dim, tokens, positions, out, team_);
}

void CpuOperations::embedding_backward(std::size_t dim, std::span<const std::int32_t> ids,
                                       float factor, std::span<const float> dout,
                                       std::span<float> dtable) const {
  kernels::embedding_backward(dim, ids, factor, dout, dtable, team_);
}

void CpuOperations::cross_entropy(std::size_t vocabulary, std::span<const std::int32_t> labels,
                                  std::span<const float> weights, float gradient_scale,
                                  std::span<float> logits, const TokenLosses& losses,
                                  const Elements& dlogits) const {
  kernels::cross_entropy(vocabulary, labels, weights, gradient_scale, logits, losses, dlogits,
                         team_);
}

void CpuOperations::cross_entropy_loss(std::size_t vocabulary, std::span<const std::int32_t> labels,
                                       std::span<const float> logits,
                                       const TokenLosses& losses) const {
  kernels::cross_entropy_loss(vocabulary, labels, logits, losses, team_);
}

void CpuOperations::top_tokens(std::size_t vocabulary, std::size_t count,
                               std::span<const float> logits, std::span<TokenLoss> top) const {
  kernels::top_tokens(vocabulary, count, logits, top, team_);
}

void CpuOperations::add_bias(std::size_t rows, std::size_t width, std::span<const float> bias,
                             const Elements& x) const {
  kernels::add_bias(rows, width, bias, x, team_);
}

void CpuOperations::bias_gradient(std::size_t rows, std::size_t width, const ConstElements& dy,
                                  const ColumnSums& dbias) const {
  kernels::bias_gradient(rows, width, dy, dbias, team_);
}

void CpuOperations::softcap_forward(float cap, std::span<float> logits) const {
  kernels::softcap_forward(cap, logits, team_);
}

void CpuOperations::softcap_backward(float cap, std::span<const float> capped,
                                     const Elements& dlogits) const {
  kernels::softcap_backward(cap, capped, dlogits, team_);
}

void CpuOperations::add(const ConstElements& a, std::span<const float> b,
                        const Elements& out) const {
  kernels::add(a, b, out, team_);
}

void CpuOperations::clear(std::span<float> x) const { kernels::clear(x, team_); }

void CpuOperations::convert(const ConstElements& x, const Elements& out) const {
  if (x.type() == ElementType::fp32) return kernels::narrow(x.floats(), out, team_);
  kernels::convert(x, out, team_);
}

std::span<const float> CpuOperations::widened(const ConstElements& x, std::span<float> room) const {
  if (x.type() == ElementType::fp32) return x.floats();
  const auto copy = room.first(x.size());
  kernels::widen(x, copy);
  return copy;
}

bool CpuOperations::all_finite(std::span<const float> x) const { return kernels::all_finite(x); }

std::unique_ptr<Operations> make_operations(const Gemm& gemm, ElementType compute, Team* team,
                                            Profile* profile) {
  auto operations = std::make_unique<CpuOperations>(gemm, compute, team);
  if (profile == nullptr) return operations;
  return std::make_unique<ProfiledOperations>(std::move(operations), *profile);
}

}  // namespace ballast::kernels
