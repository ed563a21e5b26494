#include "model/decoder.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/error.hpp"
#include "kernels/elementwise.hpp"
#include "kernels/lanes/math.hpp"
#include "kernels/norm.hpp"
#include "kernels/swiglu.hpp"

namespace ballast::model {

using kernels::matrix;
using kernels::Store;
using kernels::Transpose;

Decoder::Decoder(const ModelConfig& config, const ParameterTable& table,
                 WholeParameters& parameters, const kernels::Gemm& gemm, std::size_t context)
    : config_{config},
      table_{&table},
      parameters_{&parameters},
      gemm_{&gemm},
      rope_{context, config.head_dim(), config.rope_base},
      context_{context},
      caches_(config.layers),
      residual_(config.dim),
      normed_(config.dim),
      sublayer_(config.dim),
      query_(config.dim),
      attended_(config.dim),
      gate_(config.ffn),
      up_(config.ffn),
      scores_(context),
      logits_(config.vocabulary) {
  for (auto& cache : caches_) {
    cache.keys.resize(context * config.kv_dim());
    cache.values.resize(context * config.kv_dim());
  }
}

void Decoder::feed(std::int32_t token) {
  if (token < 0 || static_cast<std::size_t>(token) >= config_.vocabulary) {
    throw data_error("token {} is not in the model's vocabulary of {}", token, config_.vocabulary);
  }
  if (tokens_.size() == context_) {
    const std::vector<std::int32_t> later(tokens_.end() - static_cast<std::ptrdiff_t>(context_ / 2),
                                          tokens_.end());
    tokens_.clear();
    for (const std::int32_t kept : later) advance(kept);
  }
  advance(token);
  compute_logits();
}

void Decoder::advance(std::int32_t token) {
  tokens_.push_back(token);
  const auto embedding = embedding_tensor(*table_, parameters_->acquire(kEmbeddingUnit));
  const auto row = embedding.subspan(static_cast<std::size_t>(token) * config_.dim, config_.dim);
  std::ranges::copy(row.floats(), residual_.begin());
  for (std::size_t layer = 0; layer < config_.layers; ++layer) run_block(layer);
}

void Decoder::run_block(std::size_t layer) {
  const auto weights =
      block_tensors(*table_, layer, parameters_->acquire(table_->unit_of_layer(layer)));
  const bool pre = config_.norm_placement == NormPlacement::pre;
  const bool post = config_.norm_placement == NormPlacement::post;
  const auto input_of = [&](const ConstElements& gain) -> std::span<const float> {
    if (!pre) return residual_;
    normalise(residual_, gain, normed_);
    return normed_;
  };
  attend(weights, caches_[layer], input_of(weights.attention_norm), sublayer_);
  kernels::accumulate(sublayer_, residual_);
  if (post) normalise(residual_, weights.attention_norm, residual_);
  feed_forward(weights, input_of(weights.ffn_norm), sublayer_);
  kernels::accumulate(sublayer_, residual_);
  if (post) normalise(residual_, weights.ffn_norm, residual_);
}

void Decoder::attend(const BlockWeights& weights, LayerCache& cache, std::span<const float> input,
                     std::span<float> out) {
  const std::size_t position = tokens_.size() - 1;
  const std::size_t kv_dim = config_.kv_dim();
  const auto key = std::span{cache.keys}.subspan(position * kv_dim, kv_dim);
  const auto value = std::span{cache.values}.subspan(position * kv_dim, kv_dim);
  project(input, weights.wq, query_);
  project(input, weights.wk, key);
  project(input, weights.wv, value);
  if (config_.qk_norm) {
    normalise(query_, weights.q_norm, query_);
    normalise(key, weights.k_norm, key);
  }
  const std::array positions{static_cast<std::int32_t>(position)};
  kernels::rope(rope_, kernels::Rotation::forward, positions, config_.heads, std::span{query_},
                std::span{query_});
  kernels::rope(rope_, kernels::Rotation::forward, positions, config_.kv_heads, key, key);
  for (std::size_t head = 0; head < config_.heads; ++head) {
    attend_head(cache, head,
                std::span{attended_}.subspan(head * config_.head_dim(), config_.head_dim()));
  }
  project(attended_, weights.wo, out);
}

void Decoder::attend_head(const LayerCache& cache, std::size_t head, std::span<float> out) {
  const std::size_t head_dim = config_.head_dim();
  const std::size_t offset = head / (config_.heads / config_.kv_heads) * head_dim;
  const std::size_t seen = tokens_.size();
  const auto scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(head_dim)));
  const kernels::MatrixView<const float> keys{cache.keys.data() + offset, seen, head_dim,
                                              config_.kv_dim()};
  const kernels::MatrixView<const float> values{cache.values.data() + offset, seen, head_dim,
                                                config_.kv_dim()};
  const auto scores = std::span{scores_}.first(seen);
  gemm_->multiply(matrix<const float>(query_.data() + head * head_dim, 1, head_dim), Transpose::no,
                  keys, Transpose::yes, matrix(scores.data(), 1, seen), Store::overwrite, scale);
  const float largest = *std::ranges::max_element(scores);
  double total = 0.0;
  for (float& score : scores) {
    score = static_cast<float>(kernels::portable_exp(static_cast<double>(score - largest)));
    total += static_cast<double>(score);
  }
  kernels::scale(scores, static_cast<float>(1.0 / total), scores);
  gemm_->multiply(matrix<const float>(scores.data(), 1, seen), Transpose::no, values, Transpose::no,
                  matrix(out.data(), 1, head_dim), Store::overwrite);
}

void Decoder::feed_forward(const BlockWeights& weights, std::span<const float> input,
                           std::span<float> out) {
  project(input, weights.w_gate, gate_);
  project(input, weights.w_up, up_);
  kernels::swiglu_forward(std::span{gate_}, std::span{up_}, std::span{gate_});
  project(gate_, weights.w_down, out);
}

void Decoder::compute_logits() {
  const auto weights = head_tensors(*table_, parameters_->acquire(table_->head_unit()));
  if (weights.final_norm.empty()) {
    project(residual_, weights.head, logits_);
    return;
  }
  normalise(residual_, weights.final_norm, normed_);
  project(normed_, weights.head, logits_);
}

void Decoder::normalise(std::span<const float> x, const ConstElements& gain, std::span<float> y) {
  const std::size_t rows = x.size() / gain.size();
  std::vector<float> statistics(2 * rows);
  kernels::norm_forward(config_.norm, {rows, gain.size()}, config_.norm_epsilon, x, gain.floats(),
                        y, statistics);
}

void Decoder::project(std::span<const float> x, const ConstElements& w, std::span<float> y) const {
  gemm_->multiply(matrix(x.data(), 1, x.size()), Transpose::no,
                  kernels::Operand{w, y.size(), x.size()}, Transpose::yes,
                  matrix(y.data(), 1, y.size()), Store::overwrite);
}

}  // namespace ballast::model
