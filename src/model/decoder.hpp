#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "kernels/gemm/gemm.hpp"
#include "model/embedding_layer.hpp"
#include "model/sublayer.hpp"
#include "model/whole_parameters.hpp"

namespace ballast::model {

/// Runs a model one token at a time over cached keys and values. When the context is full, its
/// later half is read again as a fresh context, so a text may grow for ever.
class Decoder {
 public:
  /// `table`, `parameters`, in fp32, and `gemm` must outlive the decoder.
  Decoder(const ModelConfig& config, const ParameterTable& table, WholeParameters& parameters,
          const kernels::Gemm& gemm, std::size_t context);

  /// Appends one token and computes the logits of its successor. A data Error if the token is not
  /// in the vocabulary.
  void feed(std::int32_t token);
  /// Of the token that follows the last one fed: [vocabulary].
  [[nodiscard]] std::span<const float> logits() const { return logits_; }

 private:
  void advance(std::int32_t token);
  void run_block(std::size_t layer);
  void compute_logits();
  void normalize(std::span<const float> x, const ConstElements& gain, std::span<float> y);

  ModelConfig config_;
  EmbeddingLayer embedding_;
  const ParameterTable* table_;
  WholeParameters* parameters_;
  const kernels::Gemm* gemm_;
  std::size_t context_;
  std::vector<std::int32_t> tokens_;  ///< in the context now
  std::vector<std::vector<std::unique_ptr<SublayerDecoder>>> blocks_;
  std::vector<float> residual_, entered_, normed_, sublayer_, statistics_, logits_;
};

}  // namespace ballast::model
