#include "train/plan/summary.hpp"

#include <fmt/format.h>

#include "base/text.hpp"
#include "fsdp/transport.hpp"

namespace ballast::train {

std::string describe_model(const model::ModelConfig& model, const model::ParameterTable& table,
                           const model::Freeze& freeze) {
  const auto text = fmt::format("model: {} parameters ({} layers, dim {}, {} heads, vocabulary {})",
                                with_thousands(table.total_numel()), model.layers, model.dim,
                                model.heads, model.vocabulary);
  if (freeze == model::Freeze::nothing()) return text;
  return fmt::format("{}; {} of them train, frozen: {}", text,
                     with_thousands(table.trained_numel()), freeze.name());
}

std::string describe_mode(const Job& job) {
  const auto& parallel = job.config.parallel;
  return fmt::format("mode: {}; wrap {}, recompute {}",
                     fsdp::describe(job.policy, job.mesh, job.transports), parallel.wrap.name(),
                     parallel.recompute.name());
}

std::string describe_precision(const Config& config) {
  return fmt::format("precision: param {}, residual {}, reduce, master and moments fp32{}",
                     name_of(config.precision.param), name_of(config.precision.residual),
                     config.precision.scales_loss() ? ", dynamic loss scale" : "");
}

}  // namespace ballast::train
