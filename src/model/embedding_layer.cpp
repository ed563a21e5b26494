#include "model/embedding_layer.hpp"

#include "kernels/lanes/math.hpp"

namespace ballast::model {

using kernels::Store;

namespace {

/// Sines at even places, cosines at odd ones, of position · 10000^(−2i / dim) (Vaswani et al. 2017,
/// section 3.5).
std::vector<float> sinusoids(std::size_t positions, std::size_t dim) {
  const double log_base = kernels::portable_log(10000.0);
  std::vector<float> table(positions * dim);
  for (std::size_t j = 0; j < dim; ++j) {
    const double exponent = static_cast<double>(j - j % 2) / static_cast<double>(dim);
    const double frequency = kernels::portable_exp(-exponent * log_base);
    for (std::size_t p = 0; p < positions; ++p) {
      const double angle = static_cast<double>(p) * frequency;
      table[p * dim + j] = static_cast<float>(j % 2 == 0 ? kernels::portable_sin(angle)
                                                         : kernels::portable_cos(angle));
    }
  }
  return table;
}

}  // namespace

EmbeddingLayer::EmbeddingLayer(const ModelConfig& config, std::size_t positions)
    : dim_{config.dim}, factor_{config.embedding_factor()}, is_tied_{config.tie_embeddings} {
  if (config.position == Position::sinusoidal) sinusoids_ = sinusoids(positions, config.dim);
}

EmbeddingLayer::Rows EmbeddingLayer::rows(std::span<const std::int32_t> ids,
                                          std::span<const std::int32_t> positions,
                                          const EmbeddingWeights& weights) const {
  const ConstElements table =
      sinusoids_.empty() ? weights.positions : ConstElements{std::span{sinusoids_}};
  return {{ids, weights.tokens, factor_}, {positions, table}};
}

void EmbeddingLayer::backward(const kernels::Operations& operations, const Batch& batch,
                              std::span<const float> gradient, const EmbeddingGradients& gradients,
                              Store store) const {
  const auto add = [&](std::span<const std::int32_t> ids, float factor, std::span<float> dtable,
                       Store store_here) {
    if (dtable.empty()) return;  // it does not train
    if (store_here == Store::overwrite) operations.clear(dtable);
    operations.embedding_backward(dim_, ids, factor, gradient, dtable);
  };
  // With tied weights the head's gradient lies in the room already.
  add(batch.ids, factor_, gradients.tokens, is_tied_ ? Store::add : store);
  add(batch.positions, 1.0f, gradients.positions, store);
}

}  // namespace ballast::model
