#pragma once

#include <array>
#include <string>

#include "comm/communicator.hpp"
#include "kernels/gemm/gemm.hpp"
#include "model/batch.hpp"
#include "model/model_config.hpp"
#include "tensor/element.hpp"

namespace ballast::train {

/// The highest rates that a rank reaches on this machine while all ranks are at work.
struct Ceilings {
  std::array<double, 3> products{};  ///< FLOP/s by element type; 0: not measured
  double memory = 0.0;               ///< bytes/s

  [[nodiscard]] double products_of(ElementType type) const {
    return products[static_cast<std::size_t>(type)];
  }
};

/// Measures them: the model's own matrix products, forward and backward, of `compute` and of fp32,
/// and a sum of two arrays that no cache holds. Every rank works at the same time; the figure is
/// the mean of the ranks. Takes seconds, and at least 128 MiB a rank until it returns. Collective.
[[nodiscard]] Ceilings measure_ceilings(comm::Communicator& world, const kernels::Gemm& gemm,
                                        const model::ModelConfig& config, model::BatchShape shape,
                                        ElementType compute);

/// "bf16 products 402.1 GFLOP/s, fp32 products 201.0 GFLOP/s, memory 12.3 GB/s"
[[nodiscard]] std::string describe(const Ceilings& ceilings);

}  // namespace ballast::train
