#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/embedding.hpp"
#include "kernels/operations/operations.hpp"
#include "model/batch.hpp"
#include "model/model_config.hpp"
#include "model/unit_views.hpp"
#include "tensor/element.hpp"

namespace ballast::model {

/// Where the residual stream begins: a vector for each token and, where the model has such, one for
/// its position.
class EmbeddingLayer {
 public:
  /// For positions below `positions`.
  EmbeddingLayer(const ModelConfig& config, std::size_t positions);

  /// What is added up for tokens at these positions. Views of the tensors and of this.
  struct Rows {
    kernels::RowsOf tokens;
    kernels::RowsOf positions;
  };
  [[nodiscard]] Rows rows(std::span<const std::int32_t> ids,
                          std::span<const std::int32_t> positions,
                          const EmbeddingWeights& weights) const;

  /// Adds to the gradients of both tables, from zero where `store` says overwrite; what is empty
  /// does not train. With tied weights the head's gradient lies in the embedding's already.
  /// gradient: [tokens, dim] that of the stream.
  void backward(const kernels::Operations& operations, const Batch& batch,
                std::span<const float> gradient, const EmbeddingGradients& gradients,
                kernels::Store store) const;

 private:
  std::size_t dim_;
  float factor_;  ///< of the tokens' vectors
  bool is_tied_;
  std::vector<float> sinusoids_;  ///< [positions, dim], or empty
};

}  // namespace ballast::model
