#include "model/decoder.hpp"

#include <algorithm>
#include <array>

#include "base/error.hpp"
#include "kernels/elementwise.hpp"
#include "kernels/embedding.hpp"
#include "kernels/norm.hpp"
#include "kernels/softcap.hpp"
#include "model/linear.hpp"
#include "model/sublayers.hpp"
#include "model/unit_views.hpp"

namespace ballast::model {

Decoder::Decoder(const ModelConfig& config, const ParameterTable& table,
                 WholeParameters& parameters, const kernels::Gemm& gemm, std::size_t context)
    : config_{config},
      embedding_{config, context},
      table_{&table},
      parameters_{&parameters},
      gemm_{&gemm},
      context_{context},
      residual_(config.dim),
      normed_(config.dim),
      sublayer_(config.dim),
      statistics_(2),
      logits_(config.vocabulary) {
  for (std::size_t layer = 0; layer < config.layers; ++layer) {
    auto& block = blocks_.emplace_back();
    for (const SublayerKind kind : config.sublayers_of(layer)) {
      block.push_back(make_sublayer_decoder(kind, config, layer, context, gemm));
    }
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
  const std::array position{static_cast<std::int32_t>(tokens_.size())};
  tokens_.push_back(token);
  const UnitLeases units{*parameters_, *table_, kEmbeddingDepth};
  const auto rows = embedding_.rows({&token, 1}, position, embedding_tensors(*table_, units));
  kernels::embedding_forward(config_.dim, rows.tokens, rows.positions, std::span{residual_});
  for (std::size_t layer = 0; layer < config_.layers; ++layer) run_block(layer);
}

void Decoder::run_block(std::size_t layer) {
  const UnitLeases units{*parameters_, *table_, ParameterTable::depth_of(layer)};
  const auto weights = block_tensors(*table_, layer, units);
  entered_ = residual_;
  const std::span<const float> stream = config_.parallel_sublayers ? entered_ : residual_;
  for (std::size_t i = 0; i < blocks_[layer].size(); ++i) {
    const auto& [gain, output_gain, own] = weights[i];
    std::span<const float> input = stream;
    if (config_.has_input_norms()) {
      normalize(stream, gain, normed_);
      input = normed_;
    }
    blocks_[layer][i]->advance(tokens_.size() - 1, own, input, sublayer_);
    if (config_.has_output_norms()) normalize(sublayer_, output_gain, sublayer_);
    kernels::accumulate(sublayer_, residual_);
    if (config_.has_stream_norms()) normalize(residual_, gain, residual_);
  }
}

void Decoder::compute_logits() {
  const UnitLeases units{*parameters_, *table_, table_->head_depth()};
  const auto weights = head_tensors(*table_, units);
  std::span<const float> hidden = residual_;
  if (!weights.final_norm.empty()) {
    normalize(residual_, weights.final_norm, normed_);
    hidden = normed_;
  }
  project_token(*gemm_, hidden, weights.head, {}, logits_);
  if (config_.logit_softcap > 0.0f) kernels::softcap_forward(config_.logit_softcap, logits_);
}

void Decoder::normalize(std::span<const float> x, const ConstElements& gain, std::span<float> y) {
  kernels::norm_forward(config_.norm_rule(), {1, gain.size()}, x, gain.floats(), y, statistics_);
}

}  // namespace ballast::model
