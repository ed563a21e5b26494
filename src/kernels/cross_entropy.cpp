#include "kernels/cross_entropy.hpp"

#include <algorithm>

#include "kernels/lanes/exp.hpp"
#include "kernels/lanes/isa.hpp"
#include "kernels/lanes/lanes.hpp"
#include "kernels/lanes/pieces.hpp"
#include "kernels/lanes/stored.hpp"
#include "kernels/softmax.hpp"

namespace ballast::kernels {

namespace {

/// Overwrites a row with exp(logit − max).
BALLAST_KERNEL SoftmaxSum exponentiate(float* logits, std::size_t count) {
  const float max = lane_max(logits, count);
  for (std::size_t i = 0; i < count; ++i) logits[i] = exp_lane(logits[i] - max);
  return {max, lane_sum(logits, count)};
}

template <class T>
BALLAST_INLINE void scale_of(const float* x, float factor, ElementOf<T>* out, std::size_t count) {
  BALLAST_INDEPENDENT
  for (std::size_t i = 0; i < count; ++i) out[i] = T::store(x[i] * factor);
}

/// out = x · factor, but `subtracted` less at `label`.
BALLAST_KERNEL void scale_row(const float* x, float factor, std::size_t label, float subtracted,
                              ElementType type, void* out, std::size_t count) {
  with_stored(type, [&](auto t) BALLAST_INLINE_LAMBDA {
    using T = decltype(t);
    const float at_label = x[label] * factor - subtracted;
    scale_of<T>(x, factor, elements(t, out), count);
    elements(t, out)[label] = T::store(at_label);
  });
}

struct RowLoss {
  float nll = 0.0f;
  float log_z = 0.0f;
};

/// One row of cross_entropy.
RowLoss row_gradient(std::span<float> row, std::int32_t label_id, float factor,
                     const Elements& gradient) {
  if (label_id == kIgnoreLabel) {
    std::ranges::fill(gradient.bytes(), std::byte{0});
    return {};
  }
  const auto label = static_cast<std::size_t>(label_id);
  const float label_logit = row[label];
  const SoftmaxSum softmax = exponentiate(row.data(), row.size());
  scale_row(row.data(), factor / softmax.sum, label, factor, gradient.type(), gradient.data(),
            row.size());
  return {negative_log_likelihood(softmax, label_logit), log_z(softmax)};
}

/// One row of cross_entropy_loss.
RowLoss row_loss(std::span<const float> row, std::int32_t label) {
  if (label == kIgnoreLabel) return {};
  const SoftmaxSum softmax = softmax_sum(row);
  return {negative_log_likelihood(softmax, row[static_cast<std::size_t>(label)]), log_z(softmax)};
}

void tell(const TokenLosses& losses, std::size_t row, const RowLoss& loss) {
  losses.nll[row] = loss.nll;
  if (!losses.log_z.empty()) losses.log_z[row] = loss.log_z;
}

}  // namespace

void cross_entropy(std::size_t vocabulary, std::span<const std::int32_t> labels,
                   std::span<const float> weights, float gradient_scale, std::span<float> logits,
                   const TokenLosses& losses, const Elements& dlogits, Team* team) {
  for_rows(team, labels.size(), vocabulary, [&](std::size_t first, std::size_t count) {
    for (std::size_t r = first; r < first + count; ++r) {
      const float factor = weights.empty() ? gradient_scale : gradient_scale * weights[r];
      const RowLoss loss = row_gradient(logits.subspan(r * vocabulary, vocabulary), labels[r],
                                        factor, dlogits.subspan(r * vocabulary, vocabulary));
      tell(losses, r, loss);
    }
  });
}

void cross_entropy_loss(std::size_t vocabulary, std::span<const std::int32_t> labels,
                        std::span<const float> logits, const TokenLosses& losses, Team* team) {
  for_rows(team, labels.size(), vocabulary, [&](std::size_t first, std::size_t count) {
    for (std::size_t r = first; r < first + count; ++r) {
      tell(losses, r, row_loss(logits.subspan(r * vocabulary, vocabulary), labels[r]));
    }
  });
}

}  // namespace ballast::kernels
