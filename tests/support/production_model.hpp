#pragma once

#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "kernels/gemm/gemm_factory.hpp"
#include "kernels/gemm/gemm_table.hpp"
#include "kernels/operations/cpu_operations.hpp"
#include "model/transformer.hpp"
#include "model/whole_parameters.hpp"
#include "reference/model.hpp"

namespace ballast::test {

/// The batch that the reference reads, as the model reads it.
[[nodiscard]] inline model::Batch as_model_batch(const reference::Batch& batch) {
  return {
      .shape = {batch.sequences, batch.seq_len},
      .ids = batch.ids,
      .labels = batch.labels,
      .segments = batch.segments,
      .positions = batch.positions,
      .weights = batch.weights,
  };
}

/// The production model with all its parameters in this process, filled from the reference's.
class ProductionModel {
 public:
  ProductionModel(
      const model::ModelConfig& config, model::BatchShape shape,
      const model::TransformerOptions& options, const reference::Parameters<double>& values,
      std::unique_ptr<kernels::Gemm> gemm = kernels::make_gemm(kernels::GemmTable::shipped()))
      : gemm_{std::move(gemm)},
        operations_{
            kernels::make_operations(*gemm_, options.precision.compute, nullptr, options.profile)},
        transformer_{config, shape, options, *operations_, arena_},
        parameters_{transformer_.table(), model::WholeParameters::Gradients::kept,
                    options.precision.compute} {
    arena_.commit();
    for (const auto& parameter : transformer_.table().parameters()) {
      const auto tensor = parameters_.tensor(parameter);
      const auto& source = values.at(parameter.name);
      for (std::size_t i = 0; i < tensor.size(); ++i) tensor[i] = static_cast<float>(source.at(i));
    }
  }

  [[nodiscard]] model::Transformer& transformer() { return transformer_; }
  [[nodiscard]] model::WholeParameters& parameters() { return parameters_; }
  [[nodiscard]] const kernels::Gemm& gemm() const { return *gemm_; }
  [[nodiscard]] const Arena& arena() const { return arena_; }

  model::LossSums forward_backward(const reference::Batch& batch, float scale = 1.0f) {
    return transformer_.forward_backward(as_model_batch(batch), parameters_, scale);
  }

  [[nodiscard]] reference::Parameters<double> gradients() const {
    reference::Parameters<double> result;
    for (const auto& parameter : transformer_.table().parameters()) {
      const auto gradient = parameters_.gradient(parameter);
      result[parameter.name].assign(gradient.begin(), gradient.end());
    }
    return result;
  }

  [[nodiscard]] reference::Parameters<double> values() {
    reference::Parameters<double> result;
    for (const auto& parameter : transformer_.table().parameters()) {
      const auto tensor = parameters_.tensor(parameter);
      result[parameter.name].assign(tensor.begin(), tensor.end());
    }
    return result;
  }

 private:
  Arena arena_;
  std::unique_ptr<kernels::Gemm> gemm_;
  std::unique_ptr<kernels::Operations> operations_;
  model::Transformer transformer_;
  model::WholeParameters parameters_;
};

}  // namespace ballast::test
