#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "kernels/attention/attention.hpp"
#include "reference/real_part.hpp"

namespace ballast::reference {

/// Softmax over what `token` sees through one query head: keys first .. token.
template <class T>
struct AttentionRow {
  std::size_t first;
  std::vector<T> probabilities;
  std::vector<T> slopes;  ///< d logit / d (scaled product)
  T log_sum_exp;
  double max_logit;
};

[[nodiscard]] inline double product_scale(const kernels::AttentionDims& dims,
                                          const kernels::AttentionRule& rule) {
  if (rule.scale > 0.0f) return static_cast<double>(rule.scale);
  return 1.0 / std::sqrt(static_cast<double>(dims.head_dim));
}

template <class T>
[[nodiscard]] AttentionRow<T> attention_row(const kernels::AttentionDims& dims,
                                            const std::vector<T>& q, const std::vector<T>& k,
                                            std::span<const std::int32_t> segments,
                                            std::size_t token, std::size_t head,
                                            const kernels::AttentionRule& rule) {
  AttentionRow<T> row{token - token % dims.seq_len, {}, {}, T{}, 0.0};
  if (!segments.empty()) {
    while (segments[row.first] != segments[token]) ++row.first;
  }
  while (rule.window > 0 && token - row.first >= rule.window) ++row.first;
  const std::size_t kv_head = head / (dims.heads / dims.kv_heads);
  row.max_logit = -std::numeric_limits<double>::infinity();
  for (std::size_t key = row.first; key <= token; ++key) {
    T logit{};
    for (std::size_t i = 0; i < dims.head_dim; ++i) {
      logit += q[(token * dims.heads + head) * dims.head_dim + i] *
               k[(key * dims.kv_heads + kv_head) * dims.head_dim + i];
    }
    logit *= product_scale(dims, rule);
    if (rule.softcap > 0.0f) {
      const T t = std::tanh(logit / static_cast<double>(rule.softcap));
      logit = static_cast<double>(rule.softcap) * t;
      row.slopes.push_back(1.0 - t * t);
    } else {
      row.slopes.push_back(T{1.0});
    }
    if (!rule.slopes.empty()) {
      logit -= static_cast<double>(rule.slopes[head]) * static_cast<double>(token - key);
    }
    row.probabilities.push_back(logit);
    row.max_logit = std::max(row.max_logit, real_part(row.probabilities.back()));
  }
  T sum{};
  for (T& value : row.probabilities) sum += value = std::exp(value - row.max_logit);
  for (T& value : row.probabilities) value /= sum;
  row.log_sum_exp = row.max_logit + std::log(sum);
  return row;
}

template <class T>
struct AttentionOutput {
  std::vector<T> out;          ///< [tokens, heads, head_dim]
  std::vector<T> log_sum_exp;  ///< [heads, tokens]
  double max_logit;            ///< over everything any token saw
};

/// Causal grouped-query attention by `rule`. q: [tokens, heads, head_dim]; k, v: [tokens, kv_heads,
/// head_dim]; segments: [tokens], never decreasing within a sequence, or empty.
template <class T>
[[nodiscard]] AttentionOutput<T> attention_forward(const kernels::AttentionDims& dims,
                                                   const std::vector<T>& q, const std::vector<T>& k,
                                                   const std::vector<T>& v,
                                                   std::span<const std::int32_t> segments,
                                                   const kernels::AttentionRule& rule = {}) {
  AttentionOutput<T> result{std::vector<T>(q.size()), {}, -std::numeric_limits<double>::infinity()};
  for (std::size_t head = 0; head < dims.heads; ++head) {
    const std::size_t kv_head = head / (dims.heads / dims.kv_heads);
    for (std::size_t token = 0; token < dims.tokens(); ++token) {
      const AttentionRow<T> row = attention_row(dims, q, k, segments, token, head, rule);
      for (std::size_t j = 0; j < row.probabilities.size(); ++j) {
        for (std::size_t i = 0; i < dims.head_dim; ++i) {
          result.out[(token * dims.heads + head) * dims.head_dim + i] +=
              row.probabilities[j] *
              v[((row.first + j) * dims.kv_heads + kv_head) * dims.head_dim + i];
        }
      }
      result.log_sum_exp.push_back(row.log_sum_exp);
      result.max_logit = std::max(result.max_logit, row.max_logit);
    }
  }
  return result;
}

template <class T>
struct AttentionGradients {
  std::vector<T> dq;
  std::vector<T> dk;
  std::vector<T> dv;
};

template <class T>
[[nodiscard]] AttentionGradients<T> attention_backward(
    const kernels::AttentionDims& dims, const std::vector<T>& q, const std::vector<T>& k,
    const std::vector<T>& v, std::span<const std::int32_t> segments, const std::vector<T>& dout,
    const kernels::AttentionRule& rule = {}) {
  AttentionGradients<T> gradients{std::vector<T>(q.size()), std::vector<T>(k.size()),
                                  std::vector<T>(v.size())};
  const double scale = product_scale(dims, rule);
  for (std::size_t head = 0; head < dims.heads; ++head) {
    const std::size_t kv_head = head / (dims.heads / dims.kv_heads);
    for (std::size_t token = 0; token < dims.tokens(); ++token) {
      const AttentionRow<T> row = attention_row(dims, q, k, segments, token, head, rule);
      const std::size_t query = (token * dims.heads + head) * dims.head_dim;
      const auto key = [&](std::size_t j) {
        return ((row.first + j) * dims.kv_heads + kv_head) * dims.head_dim;
      };
      std::vector<T> dprobabilities(row.probabilities.size());
      T mean{};
      for (std::size_t j = 0; j < dprobabilities.size(); ++j) {
        for (std::size_t i = 0; i < dims.head_dim; ++i) {
          dprobabilities[j] += dout[query + i] * v[key(j) + i];
          gradients.dv[key(j) + i] += row.probabilities[j] * dout[query + i];
        }
        mean += row.probabilities[j] * dprobabilities[j];
      }
      for (std::size_t j = 0; j < dprobabilities.size(); ++j) {
        const T dlogit = row.probabilities[j] * (dprobabilities[j] - mean) * row.slopes[j] * scale;
        for (std::size_t i = 0; i < dims.head_dim; ++i) {
          gradients.dq[query + i] += dlogit * k[key(j) + i];
          gradients.dk[key(j) + i] += dlogit * q[query + i];
        }
      }
    }
  }
  return gradients;
}

}  // namespace ballast::reference
