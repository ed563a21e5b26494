#include "train/settings/summary.hpp"

#include <fmt/format.h>

#include "base/text.hpp"
#include "fsdp/transport.hpp"

namespace ballast::train {

std::string describe_model(const Config& config, std::uint64_t parameters) {
  const auto& model = config.model;
  return fmt::format("model: {} parameters ({} layers, dim {}, {} heads, vocabulary {})",
                     with_thousands(parameters), model.layers, model.dim, model.heads,
                     model.vocabulary);
}

std::string describe_mode(const Config& config, const fsdp::Topology& topology) {
  const auto policy = make_policy(config);
  const auto mesh = fsdp::make_mesh(policy, topology.ranks());
  return fmt::format("mode: {}; wrap {}, recompute {}",
                     fsdp::describe(policy, mesh, fsdp::choose_transports(policy, mesh, topology)),
                     config.parallel.wrap.name(), config.parallel.recompute.name());
}

std::string describe_precision(const Config& config) {
  return fmt::format("precision: param {}, residual {}, reduce, master and moments fp32{}",
                     name_of(config.precision.param), name_of(config.precision.residual),
                     config.precision.scales_loss() ? ", dynamic loss scale" : "");
}

}  // namespace ballast::train
