#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include "kernels/cross_entropy.hpp"
#include "kernels/norm.hpp"
#include "kernels/rope_rule.hpp"
#include "reference/activations.hpp"
#include "reference/attention.hpp"
#include "reference/real_part.hpp"

/// The oracle that production kernels are held against: plain loops, shapes as in src/kernels,
/// nothing shared with their code. T is double, or std::complex<double> for complex-step
/// differentiation (Squire and Trapp 1998), where every comparison looks at the real part.
namespace ballast::reference {

/// y = x wᵀ. x: [rows, in]; w: [out, in]; y: [rows, out].
template <class T>
[[nodiscard]] std::vector<T> linear_forward(std::size_t in, std::size_t out,
                                            const std::vector<T>& x, const std::vector<T>& w) {
  const std::size_t rows = x.size() / in;
  std::vector<T> y(rows * out);
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t o = 0; o < out; ++o) {
      T sum{};
      for (std::size_t i = 0; i < in; ++i) sum += x[r * in + i] * w[o * in + i];
      y[r * out + o] = sum;
    }
  }
  return y;
}

template <class T>
struct LinearGradients {
  std::vector<T> dx;
  std::vector<T> dw;
};

template <class T>
[[nodiscard]] LinearGradients<T> linear_backward(std::size_t in, std::size_t out,
                                                 const std::vector<T>& x, const std::vector<T>& w,
                                                 const std::vector<T>& dy) {
  const std::size_t rows = x.size() / in;
  LinearGradients<T> gradients{std::vector<T>(x.size()), std::vector<T>(w.size())};
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t o = 0; o < out; ++o) {
      for (std::size_t i = 0; i < in; ++i) {
        gradients.dx[r * in + i] += dy[r * out + o] * w[o * in + i];
        gradients.dw[o * in + i] += dy[r * out + o] * x[r * in + i];
      }
    }
  }
  return gradients;
}

/// y = x + bias in every row. x, y: [rows, width]; bias: [width].
template <class T>
[[nodiscard]] std::vector<T> bias_forward(const std::vector<T>& x, const std::vector<T>& bias) {
  std::vector<T> y;
  for (std::size_t i = 0; i < x.size(); ++i) y.push_back(x[i] + bias[i % bias.size()]);
  return y;
}

/// The gradient of the bias: [width].
template <class T>
[[nodiscard]] std::vector<T> bias_backward(std::size_t width, const std::vector<T>& dy) {
  std::vector<T> dbias(width);
  for (std::size_t i = 0; i < dy.size(); ++i) dbias[i % width] += dy[i];
  return dbias;
}

/// cap · tanh(x / cap), element by element (Gemma Team 2024).
template <class T>
[[nodiscard]] std::vector<T> softcap_forward(double cap, const std::vector<T>& x) {
  std::vector<T> capped;
  for (const T& value : x) capped.push_back(cap * std::tanh(value / cap));
  return capped;
}

/// The gradient of x.
template <class T>
[[nodiscard]] std::vector<T> softcap_backward(double cap, const std::vector<T>& x,
                                              const std::vector<T>& dcapped) {
  std::vector<T> dx;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const T t = std::tanh(x[i] / cap);
    dx.push_back(dcapped[i] * (1.0 - t * t));
  }
  return dx;
}

/// out[t] = table[ids[t]]. table: [vocabulary, dim]; out: [tokens, dim].
template <class T>
[[nodiscard]] std::vector<T> embedding_forward(std::size_t dim, std::span<const std::int32_t> ids,
                                               const std::vector<T>& table) {
  std::vector<T> out(ids.size() * dim);
  for (std::size_t t = 0; t < ids.size(); ++t) {
    const auto row = static_cast<std::size_t>(ids[t]) * dim;
    for (std::size_t i = 0; i < dim; ++i) out[t * dim + i] = table[row + i];
  }
  return out;
}

/// The gradient of the table: [vocabulary, dim].
template <class T>
[[nodiscard]] std::vector<T> embedding_backward(std::size_t vocabulary, std::size_t dim,
                                                std::span<const std::int32_t> ids,
                                                const std::vector<T>& dout) {
  std::vector<T> dtable(vocabulary * dim);
  for (std::size_t t = 0; t < ids.size(); ++t) {
    const auto row = static_cast<std::size_t>(ids[t]) * dim;
    for (std::size_t i = 0; i < dim; ++i) dtable[row + i] += dout[t * dim + i];
  }
  return dtable;
}

/// One vector of a normalization before its gain, and the reciprocal of the deviation it was
/// divided by.
template <class T>
struct Normalized {
  std::vector<T> values;
  T inverse_deviation;
};

template <class T>
[[nodiscard]] Normalized<T> normalize(kernels::NormKind kind, double epsilon,
                                      std::span<const T> x) {
  const auto dim = static_cast<double>(x.size());
  T mean{};
  if (kind == kernels::NormKind::layer) {
    for (const T& value : x) mean += value / dim;
  }
  T mean_square{};
  for (const T& value : x) mean_square += (value - mean) * (value - mean) / dim;
  Normalized<T> result{{}, 1.0 / std::sqrt(mean_square + epsilon)};
  for (const T& value : x) result.values.push_back((value - mean) * result.inverse_deviation);
  return result;
}

/// RMSNorm or LayerNorm with a gain alone. x, y: [rows, dim]; gain: [dim].
template <class T>
[[nodiscard]] std::vector<T> norm_forward(kernels::NormKind kind, double epsilon,
                                          const std::vector<T>& x, const std::vector<T>& gain) {
  const std::size_t dim = gain.size();
  std::vector<T> y;
  for (std::size_t start = 0; start < x.size(); start += dim) {
    const Normalized<T> row = normalize<T>(kind, epsilon, std::span{x}.subspan(start, dim));
    for (std::size_t i = 0; i < dim; ++i) y.push_back(gain[i] * row.values[i]);
  }
  return y;
}

template <class T>
struct NormGradients {
  std::vector<T> dx;
  std::vector<T> dgain;
};

template <class T>
[[nodiscard]] NormGradients<T> norm_backward(kernels::NormKind kind, double epsilon,
                                             const std::vector<T>& x, const std::vector<T>& gain,
                                             const std::vector<T>& dy) {
  const std::size_t dim = gain.size();
  const auto count = static_cast<double>(dim);
  NormGradients<T> gradients{{}, std::vector<T>(dim)};
  for (std::size_t start = 0; start < x.size(); start += dim) {
    const Normalized<T> row = normalize<T>(kind, epsilon, std::span{x}.subspan(start, dim));
    T mean{};        // of d/d row.values; LayerNorm alone takes it away
    T projection{};  // of d/d row.values on row.values
    for (std::size_t i = 0; i < dim; ++i) {
      const T d = gain[i] * dy[start + i];
      if (kind == kernels::NormKind::layer) mean += d / count;
      projection += d * row.values[i] / count;
      gradients.dgain[i] += dy[start + i] * row.values[i];
    }
    for (std::size_t i = 0; i < dim; ++i) {
      const T d = gain[i] * dy[start + i];
      gradients.dx.push_back((d - mean - row.values[i] * projection) * row.inverse_deviation);
    }
  }
  return gradients;
}

/// base^(−2i / head_dim), unscaled.
[[nodiscard]] inline kernels::RopeFrequencies plain_frequencies(double base, std::size_t head_dim) {
  kernels::RopeFrequencies plain{{}, 1.0};
  for (std::size_t i = 0; i < head_dim / 2; ++i) {
    plain.frequencies.push_back(
        std::pow(base, -2.0 * static_cast<double>(i) / static_cast<double>(head_dim)));
  }
  return plain;
}

/// Turns the pair (i, i + head_dim / 2) of every head by sign · position · frequency of i, and
/// multiplies it by the magnitude. x: [tokens, heads, head_dim].
template <class T>
[[nodiscard]] std::vector<T> rotate(double sign, const kernels::RopeFrequencies& rope,
                                    std::size_t heads, std::span<const std::int32_t> positions,
                                    std::vector<T> x) {
  const std::size_t half = rope.frequencies.size();
  const std::size_t head_dim = 2 * half;
  for (T& value : x) value *= rope.magnitude;
  for (std::size_t row = 0; row < positions.size() * heads; ++row) {
    for (std::size_t i = 0; i < half; ++i) {
      const double angle = sign * static_cast<double>(positions[row / heads]) * rope.frequencies[i];
      T& low = x[row * head_dim + i];
      T& high = x[row * head_dim + i + half];
      const T turned = low * std::cos(angle) - high * std::sin(angle);
      high = high * std::cos(angle) + low * std::sin(angle);
      low = turned;
    }
  }
  return x;
}

/// Rotary position embeddings, rotate-half. x: [tokens, heads, head_dim]; positions: [tokens].
template <class T>
[[nodiscard]] std::vector<T> rope_forward(double base, std::size_t heads, std::size_t head_dim,
                                          std::span<const std::int32_t> positions,
                                          const std::vector<T>& x) {
  return rotate(1.0, plain_frequencies(base, head_dim), heads, positions, x);
}

template <class T>
[[nodiscard]] std::vector<T> rope_backward(double base, std::size_t heads, std::size_t head_dim,
                                           std::span<const std::int32_t> positions,
                                           const std::vector<T>& dy) {
  return rotate(-1.0, plain_frequencies(base, head_dim), heads, positions, dy);
}

/// log Σ exp of one row of logits.
template <class T>
[[nodiscard]] T log_sum_exp(std::span<const T> logits) {
  double largest = -std::numeric_limits<double>::infinity();
  for (const T& logit : logits) largest = std::max(largest, real_part(logit));
  T sum{};
  for (const T& logit : logits) sum += std::exp(logit - largest);
  return largest + std::log(sum);
}

/// The weight of row `row`: 0 where its label is ignored, 1 where there are no weights.
[[nodiscard]] inline double label_weight(std::span<const std::int32_t> labels,
                                         std::span<const float> weights, std::size_t row) {
  if (labels[row] == kernels::kIgnoreLabel) return 0.0;
  return weights.empty() ? 1.0 : static_cast<double>(weights[row]);
}

/// The negative log-likelihood of each label, unweighted, 0 where it is ignored. logits: [rows,
/// vocabulary]; labels, result: [rows].
template <class T>
[[nodiscard]] std::vector<T> cross_entropy_nll(std::size_t vocabulary,
                                               std::span<const std::int32_t> labels,
                                               const std::vector<T>& logits) {
  std::vector<T> nll(labels.size());
  for (std::size_t row = 0; row < labels.size(); ++row) {
    if (labels[row] == kernels::kIgnoreLabel) continue;
    nll[row] = log_sum_exp<T>(std::span{logits}.subspan(row * vocabulary, vocabulary)) -
               logits[row * vocabulary + static_cast<std::size_t>(labels[row])];
  }
  return nll;
}

/// Σ weight · nll over labels that are not ignored. weights: [rows], or empty for all ones.
template <class T>
[[nodiscard]] T cross_entropy_forward(std::size_t vocabulary, std::span<const std::int32_t> labels,
                                      std::span<const float> weights,
                                      const std::vector<T>& logits) {
  const std::vector<T> nll = cross_entropy_nll(vocabulary, labels, logits);
  T loss{};
  for (std::size_t row = 0; row < nll.size(); ++row) {
    loss += nll[row] * label_weight(labels, weights, row);
  }
  return loss;
}

/// d cross_entropy_forward / d logits · gradient_scale: [rows, vocabulary].
template <class T>
[[nodiscard]] std::vector<T> cross_entropy_backward(std::size_t vocabulary,
                                                    std::span<const std::int32_t> labels,
                                                    std::span<const float> weights,
                                                    double gradient_scale,
                                                    const std::vector<T>& logits) {
  std::vector<T> dlogits(logits.size());
  for (std::size_t row = 0; row < labels.size(); ++row) {
    const double factor = gradient_scale * label_weight(labels, weights, row);
    const std::size_t start = row * vocabulary;
    const T normalizer = log_sum_exp<T>(std::span{logits}.subspan(start, vocabulary));
    for (std::size_t i = 0; i < vocabulary; ++i) {
      const double target = std::cmp_equal(i, labels[row]) ? 1.0 : 0.0;
      dlogits[start + i] = factor * (std::exp(logits[start + i] - normalizer) - target);
    }
  }
  return dlogits;
}

/// Σ weight · c · (ln Z)² over labels that are not ignored, Z the softmax's denominator
/// (Chowdhery et al. 2022, PaLM, section 5).
template <class T>
[[nodiscard]] T z_loss_forward(std::size_t vocabulary, std::span<const std::int32_t> labels,
                               std::span<const float> weights, double c,
                               const std::vector<T>& logits) {
  T loss{};
  for (std::size_t row = 0; row < labels.size(); ++row) {
    const T log_z = log_sum_exp<T>(std::span{logits}.subspan(row * vocabulary, vocabulary));
    loss += label_weight(labels, weights, row) * c * log_z * log_z;
  }
  return loss;
}

/// d z_loss_forward / d logits · gradient_scale: [rows, vocabulary].
template <class T>
[[nodiscard]] std::vector<T> z_loss_backward(std::size_t vocabulary,
                                             std::span<const std::int32_t> labels,
                                             std::span<const float> weights, double c,
                                             double gradient_scale, const std::vector<T>& logits) {
  std::vector<T> dlogits(logits.size());
  for (std::size_t row = 0; row < labels.size(); ++row) {
    const double factor = gradient_scale * label_weight(labels, weights, row) * c;
    const std::size_t start = row * vocabulary;
    const T log_z = log_sum_exp<T>(std::span{logits}.subspan(start, vocabulary));
    for (std::size_t i = 0; i < vocabulary; ++i) {
      dlogits[start + i] = factor * 2.0 * log_z * std::exp(logits[start + i] - log_z);
    }
  }
  return dlogits;
}

/// Hyperparameters of AdamW (Loshchilov and Hutter 2019), epsilon outside the root as PyTorch has
/// it.
struct AdamW {
  double lr;
  double beta1;
  double beta2;
  double epsilon;
  double weight_decay;
};

/// Step `step` (from 1) of AdamW on spans of equal size; the moments start at zero.
template <class T>
void adamw(const AdamW& options, unsigned step, const std::vector<T>& gradient,
           std::vector<T>& weight, std::vector<T>& moment1, std::vector<T>& moment2) {
  const double bias1 = 1.0 - std::pow(options.beta1, step);
  const double bias2 = 1.0 - std::pow(options.beta2, step);
  for (std::size_t i = 0; i < gradient.size(); ++i) {
    const T& g = gradient[i];
    moment1[i] = options.beta1 * moment1[i] + (1.0 - options.beta1) * g;
    moment2[i] = options.beta2 * moment2[i] + (1.0 - options.beta2) * g * g;
    weight[i] -= options.lr * options.weight_decay * weight[i];
    weight[i] -=
        options.lr * (moment1[i] / bias1) / (std::sqrt(moment2[i] / bias2) + options.epsilon);
  }
}

}  // namespace ballast::reference
