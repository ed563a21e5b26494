#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/activation.hpp"
#include "kernels/attention/attention.hpp"
#include "kernels/bias.hpp"
#include "kernels/cross_entropy.hpp"
#include "kernels/embedding.hpp"
#include "kernels/gemm/gemm.hpp"
#include "kernels/norm.hpp"
#include "kernels/rope.hpp"
#include "kernels/top_tokens.hpp"
#include "tensor/element.hpp"

namespace ballast::kernels {

/// The operations of a model: one function for each, the backward after its forward. The kernels'
/// headers describe shapes, types and aliasing. A model holds one reference to this and knows no
/// libraries, threads or profiles; another device would be another implementation. One thread makes
/// all calls, and an operation is complete when its call returns.
class Operations {
 public:
  virtual ~Operations() = default;

  /// Gemm::multiply, with alpha = 1.
  virtual void multiply(const Operand& a, Transpose transpose_a, const Operand& b,
                        Transpose transpose_b, const Destination& c, Store store) const = 0;

  virtual void norm_forward(const NormRule& rule, NormDims dims, const ConstElements& x,
                            std::span<const float> gain, const Elements& y,
                            std::span<float> statistics) const = 0;
  virtual void norm_forward_of_sum(const NormRule& rule, NormDims dims, const ConstElements& x,
                                   std::span<const float> update, const Elements& sum,
                                   std::span<const float> gain, const Elements& y,
                                   std::span<float> statistics) const = 0;
  virtual void norm_backward(const NormRule& rule, NormDims dims, const ConstElements& x,
                             std::span<const float> gain, std::span<const float> statistics,
                             std::span<const float> dy, std::span<float> dx, Store store_dx,
                             const GainGradient& dgain, const Elements& rounded_dx) const = 0;

  virtual void rope(const RopeTable& table, Rotation rotation,
                    std::span<const std::int32_t> positions, std::size_t heads,
                    const ConstElements& x, const Elements& y) const = 0;

  /// Returns the largest logit.
  virtual float attention_forward(const AttentionDims& dims, const AttentionRule& rule,
                                  const AttentionInput& input, const Elements& out,
                                  std::span<float> log_sum_exp, std::span<float> scratch) const = 0;
  virtual void attention_backward(const AttentionDims& dims, const AttentionRule& rule,
                                  const AttentionInput& input, const ConstElements& out,
                                  std::span<const float> log_sum_exp, const ConstElements& dout,
                                  const AttentionGradient& gradient,
                                  std::span<float> scratch) const = 0;

  virtual void gated_activation_forward(Activation activation, const ConstElements& gate,
                                        const ConstElements& up, const Elements& out) const = 0;
  virtual void gated_activation_backward(Activation activation, const ConstElements& gate,
                                         const ConstElements& up, const ConstElements& dout,
                                         const Elements& dgate, const Elements& dup,
                                         const Elements& activated) const = 0;
  virtual void activation_forward(Activation activation, const ConstElements& x,
                                  const Elements& out) const = 0;
  virtual void activation_backward(Activation activation, const ConstElements& x,
                                   const ConstElements& dout, const Elements& dx,
                                   const Elements& activated) const = 0;

  virtual void embedding_forward(std::size_t dim, const RowsOf& tokens, const RowsOf& positions,
                                 const Elements& out) const = 0;
  virtual void embedding_backward(std::size_t dim, std::span<const std::int32_t> ids, float factor,
                                  std::span<const float> dout, std::span<float> dtable) const = 0;

  virtual void cross_entropy(std::size_t vocabulary, std::span<const std::int32_t> labels,
                             std::span<const float> weights, float gradient_scale,
                             std::span<float> logits, const TokenLosses& losses,
                             const Elements& dlogits) const = 0;
  virtual void cross_entropy_loss(std::size_t vocabulary, std::span<const std::int32_t> labels,
                                  std::span<const float> logits,
                                  const TokenLosses& losses) const = 0;
  virtual void top_tokens(std::size_t vocabulary, std::size_t count, std::span<const float> logits,
                          std::span<TokenLoss> top) const = 0;

  virtual void add_bias(std::size_t rows, std::size_t width, std::span<const float> bias,
                        const Elements& x) const = 0;
  virtual void bias_gradient(std::size_t rows, std::size_t width, const ConstElements& dy,
                             const ColumnSums& dbias) const = 0;

  virtual void softcap_forward(float cap, std::span<float> logits) const = 0;
  virtual void softcap_backward(float cap, std::span<const float> capped,
                                const Elements& dlogits) const = 0;

  /// out = a + b.
  virtual void add(const ConstElements& a, std::span<const float> b, const Elements& out) const = 0;
  /// x = 0.
  virtual void clear(std::span<float> x) const = 0;
  /// out = x in the type of `out`.
  virtual void convert(const ConstElements& x, const Elements& out) const = 0;

  /// `x` in fp32: the elements themselves if they are fp32, otherwise a copy in `room`.
  [[nodiscard]] virtual std::span<const float> widened(const ConstElements& x,
                                                       std::span<float> room) const = 0;
  [[nodiscard]] virtual bool all_finite(std::span<const float> x) const = 0;

  /// `x` as a matrix product of room.type() reads it: itself if it has that type, otherwise a
  /// rounded copy in `room`, which may be empty in the first case.
  [[nodiscard]] ConstElements rounded(const ConstElements& x, const Elements& room) const {
    if (x.type() == room.type()) return x;
    const Elements copy = room.first(x.size());
    convert(x, copy);
    return copy;
  }
};

}  // namespace ballast::kernels
