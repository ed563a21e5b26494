#include "model/unit_views.hpp"

#include <algorithm>
#include <string_view>

namespace ballast::model {

namespace {

template <class Unit>
Unit tensor_named(std::span<const ParameterInfo> parameters, std::string_view name, Unit unit) {
  const auto found = std::ranges::find(parameters, name, &ParameterInfo::name);
  return found == parameters.end() ? Unit{} : unit.subspan(found->offset, found->numel);
}

template <class Unit>
BlockTensors<Unit> block_in(const ParameterTable& table, std::size_t layer, Unit unit) {
  BlockTensors<Unit> tensors;
  for (const auto& parameter : table.parameters_of_layer(layer)) {
    auto& sublayer = tensors[parameter.slot.sublayer];
    Unit& tensor = parameter.slot.tensor == TensorSlot::kGain ? sublayer.gain
                                                              : sublayer.own[parameter.slot.tensor];
    tensor = unit.subspan(parameter.offset, parameter.numel);
  }
  return tensors;
}

template <class Unit>
Unit embedding_in(const ParameterTable& table, Unit unit) {
  return tensor_named(table.parameters_of_ends(), "embedding", unit);
}

template <class Unit>
HeadTensors<Unit> head_in(const ParameterTable& table, Unit unit) {
  const auto parameters = table.parameters_of_ends();
  HeadTensors<Unit> tensors{
      .final_norm = tensor_named(parameters, "final_norm", unit),
      .head = tensor_named(parameters, "head", unit),
  };
  if (tensors.head.empty()) tensors.head = embedding_in(table, unit);
  return tensors;
}

}  // namespace

BlockWeights block_tensors(const ParameterTable& table, std::size_t layer, ConstElements unit) {
  return block_in(table, layer, unit);
}

BlockGradients block_tensors(const ParameterTable& table, std::size_t layer,
                             std::span<float> unit) {
  return block_in(table, layer, unit);
}

ConstElements embedding_tensor(const ParameterTable& table, ConstElements unit) {
  return embedding_in(table, unit);
}

std::span<float> embedding_tensor(const ParameterTable& table, std::span<float> unit) {
  return embedding_in(table, unit);
}

HeadWeights head_tensors(const ParameterTable& table, ConstElements unit) {
  return head_in(table, unit);
}

HeadGradients head_tensors(const ParameterTable& table, std::span<float> unit) {
  return head_in(table, unit);
}

}  // namespace ballast::model
