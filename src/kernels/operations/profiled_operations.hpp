#pragma once

#include <memory>
#include <utility>

#include "base/profile.hpp"
#include "kernels/operations/operations.hpp"

namespace ballast::kernels {

/// Other operations, each call a span of a profile, with the least work that it can do: bytes that
/// are read or written once, and arithmetic by the formula. Products are spans of ProfiledGemm;
/// copies between types count to the span around them.
class ProfiledOperations final : public Operations {
 public:
  /// `profile` must outlive this.
  ProfiledOperations(std::unique_ptr<Operations> operations, Profile& profile)
      : operations_{std::move(operations)}, profile_{&profile} {}

  void multiply(const Operand& a, Transpose transpose_a, const Operand& b, Transpose transpose_b,
                const Destination& c, Store store) const override;
  void norm_forward(const NormRule& rule, NormDims dims, const ConstElements& x,
                    std::span<const float> gain, const Elements& y,
                    std::span<float> statistics) const override;
  void norm_forward_of_sum(const NormRule& rule, NormDims dims, const ConstElements& x,
                           std::span<const float> update, const Elements& sum,
                           std::span<const float> gain, const Elements& y,
                           std::span<float> statistics) const override;
  void norm_backward(const NormRule& rule, NormDims dims, const ConstElements& x,
                     std::span<const float> gain, std::span<const float> statistics,
                     std::span<const float> dy, std::span<float> dx, Store store_dx,
                     const GainGradient& dgain, const Elements& rounded_dx) const override;
  void rope(const RopeTable& table, Rotation rotation, std::span<const std::int32_t> positions,
            std::size_t heads, const ConstElements& x, const Elements& y) const override;
  float attention_forward(const AttentionDims& dims, const AttentionRule& rule,
                          const AttentionInput& input, const Elements& out,
                          std::span<float> log_sum_exp, std::span<float> scratch) const override;
  void attention_backward(const AttentionDims& dims, const AttentionRule& rule,
                          const AttentionInput& input, const ConstElements& out,
                          std::span<const float> log_sum_exp, const ConstElements& dout,
                          const AttentionGradient& gradient,
                          std::span<float> scratch) const override;
  void gated_activation_forward(Activation activation, const ConstElements& gate,
                                const ConstElements& up, const Elements& out) const override;
  void gated_activation_backward(Activation activation, const ConstElements& gate,
                                 const ConstElements& up, const ConstElements& dout,
                                 const Elements& dgate, const Elements& dup,
                                 const Elements& activated) const override;
  void activation_forward(Activation activation, const ConstElements& x,
                          const Elements& out) const override;
  void activation_backward(Activation activation, const ConstElements& x, const ConstElements& dout,
                           const Elements& dx, const Elements& activated) const override;
  void embedding_forward(std::size_t dim, const RowsOf& tokens, const RowsOf& positions,
                         const Elements& out) const override;
  void embedding_backward(std::size_t dim, std::span<const std::int32_t> ids, float factor,
                          std::span<const float> dout, std::span<float> dtable) const override;
  void cross_entropy(std::size_t vocabulary, std::span<const std::int32_t> labels,
                     std::span<const float> weights, float gradient_scale, std::span<float> logits,
                     const TokenLosses& losses, const Elements& dlogits) const override;
  void cross_entropy_loss(std::size_t vocabulary, std::span<const std::int32_t> labels,
                          std::span<const float> logits, const TokenLosses& losses) const override;
  void top_tokens(std::size_t vocabulary, std::size_t count, std::span<const float> logits,
                  std::span<TokenLoss> top) const override;
  void add_bias(std::size_t rows, std::size_t width, std::span<const float> bias,
                const Elements& x) const override;
  void bias_gradient(std::size_t rows, std::size_t width, const ConstElements& dy,
                     const ColumnSums& dbias) const override;
  void softcap_forward(float cap, std::span<float> logits) const override;
  void softcap_backward(float cap, std::span<const float> capped,
                        const Elements& dlogits) const override;
  void add(const ConstElements& a, std::span<const float> b, const Elements& out) const override;
  void clear(std::span<float> x) const override;
  void convert(const ConstElements& x, const Elements& out) const override;
  [[nodiscard]] std::span<const float> widened(const ConstElements& x,
                                               std::span<float> room) const override;
  [[nodiscard]] bool all_finite(std::span<const float> x) const override;

 private:
  std::unique_ptr<Operations> operations_;
  Profile* profile_;
};

}  // namespace ballast::kernels
