#include "model/unit_views.hpp"

#include <string_view>

namespace ballast::model {

namespace {

template <class T>
std::span<T> tensor_named(std::span<const ParameterInfo> parameters, std::string_view suffix,
                          std::span<T> unit) {
  for (const auto& parameter : parameters) {
    if (std::string_view{parameter.name}.ends_with(suffix)) {
      return unit.subspan(parameter.offset, parameter.numel);
    }
  }
  return {};
}

}  // namespace

template <class T>
BlockTensors<T> block_tensors(const ParameterTable& table, std::size_t layer, std::span<T> unit) {
  const auto parameters = table.parameters_of(1 + layer);
  const auto tensor = [&](std::string_view name) { return tensor_named(parameters, name, unit); };
  return {
      .attention_norm = tensor(".attention_norm"),
      .wq = tensor(".wq"),
      .wk = tensor(".wk"),
      .wv = tensor(".wv"),
      .q_norm = tensor(".q_norm"),
      .k_norm = tensor(".k_norm"),
      .wo = tensor(".wo"),
      .ffn_norm = tensor(".ffn_norm"),
      .w_gate = tensor(".w_gate"),
      .w_up = tensor(".w_up"),
      .w_down = tensor(".w_down"),
  };
}

template <class T>
RootTensors<T> root_tensors(const ParameterTable& table, std::span<T> unit) {
  const auto parameters = table.parameters_of(kRootUnit);
  RootTensors<T> tensors{
      .embedding = tensor_named(parameters, "embedding", unit),
      .final_norm = tensor_named(parameters, "final_norm", unit),
      .head = tensor_named(parameters, "head", unit),
  };
  if (tensors.head.empty()) tensors.head = tensors.embedding;
  return tensors;
}

template BlockTensors<float> block_tensors(const ParameterTable&, std::size_t, std::span<float>);
template BlockTensors<const float> block_tensors(const ParameterTable&, std::size_t,
                                                 std::span<const float>);
template RootTensors<float> root_tensors(const ParameterTable&, std::span<float>);
template RootTensors<const float> root_tensors(const ParameterTable&, std::span<const float>);

}  // namespace ballast::model
