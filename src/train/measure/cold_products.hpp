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
  double count;  ///< how many of it a step takes for each micro-batch

  [[nodiscard]] double flop() const {
    return 2.0 * static_cast<double>(call.m) * static_cast<double>(call.n) *
           static_cast<double>(call.k);
  }
};

/// The products of the linear layers, forward and backward, for `tokens` at a time; those of the
/// head for as many as a chunk of its logits has.
[[nodiscard]] std::vector<StepProduct> step_products(const model::ModelConfig& config,
                                                     std::size_t tokens, ElementType type);

/// Memory that is handed out over and over, so that what is handed out has left the caches.
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

/// Times single products whose operands no cache holds.
class ColdProducts {
 public:
  /// Room for any of `products`.
  explicit ColdProducts(const std::vector<StepProduct>& products);

  /// Seconds of one product.
  [[nodiscard]] double time(const kernels::Gemm& gemm, const kernels::GemmCall& call);

 private:
  ColdMemory read_, written_;
};

}  // namespace ballast::train
