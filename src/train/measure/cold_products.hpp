#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "kernels/gemm/gemm_table.hpp"
#include "model/batch.hpp"
#include "model/model_config.hpp"
#include "tensor/arena.hpp"

namespace ballast::train {

/// One kind of matrix product of a step.
struct StepProduct {
  std::string name;  ///< "gate NT"
  kernels::GemmCall call;
  double count;  ///< how often a step computes it per micro-batch

  [[nodiscard]] double flop() const {
    return 2.0 * static_cast<double>(call.m) * static_cast<double>(call.n) *
           static_cast<double>(call.k);
  }
};

/// The products of the linear layers, forward and backward, over `tokens` rows; those of the head
/// over the rows of one chunk of logits.
[[nodiscard]] std::vector<StepProduct> step_products(const model::ModelConfig& config,
                                                     std::size_t tokens, ElementType type);

/// Memory that is handed out piece by piece, again and again. It is larger than the caches, so a
/// piece has left them when it is handed out again.
class ColdMemory {
 public:
  explicit ColdMemory(std::size_t bytes);

  /// Holds valid numbers of any type: 0.5 in fp32, small ones in halves.
  [[nodiscard]] std::byte* take(std::size_t bytes);
  [[nodiscard]] std::span<float> all();

 private:
  Mapping memory_;
  std::size_t at_ = 0;
};

/// Times single products whose operands are in no cache.
class ColdProducts {
 public:
  /// With memory for the largest of `products`.
  explicit ColdProducts(const std::vector<StepProduct>& products);

  /// Seconds of one product.
  [[nodiscard]] double time(const kernels::Gemm& gemm, const kernels::GemmCall& call);

 private:
  ColdMemory read_, written_;
};

}  // namespace ballast::train
