#include "model/unit_views.hpp"

#include <algorithm>
#include <string_view>

#include "base/error.hpp"

namespace ballast::model {

namespace {

template <class Tensor, class Units>
Tensor tensor_named(std::span<const ParameterInfo> parameters, std::string_view name,
                    const Units& units) {
  const auto found = std::ranges::find(parameters, name, &ParameterInfo::name);
  return found == parameters.end() ? Tensor{} : units.tensor(*found);
}

template <class Tensor, class Units>
BlockTensors<Tensor> block_in(const ParameterTable& table, std::size_t layer, const Units& units) {
  BlockTensors<Tensor> tensors;
  for (const auto& parameter : table.parameters_of_layer(layer)) {
    auto& sublayer = tensors[parameter.slot.sublayer];
    const std::size_t slot = parameter.slot.tensor;
    auto& tensor = slot == TensorSlot::kGain         ? sublayer.gain
                   : slot == TensorSlot::kOutputGain ? sublayer.output_gain
                                                     : sublayer.own[slot];
    tensor = units.tensor(parameter);
  }
  return tensors;
}

template <class Tensor, class Units>
EmbeddingTensors<Tensor> embedding_in(const ParameterTable& table, const Units& units) {
  const auto parameters = table.parameters_of_ends();
  return {.tokens = tensor_named<Tensor>(parameters, "embedding", units),
          .positions = tensor_named<Tensor>(parameters, "positions", units)};
}

template <class Tensor, class Units>
HeadTensors<Tensor> head_in(const ParameterTable& table, const Units& units) {
  const auto parameters = table.parameters_of_ends();
  const bool is_tied =
      std::ranges::find(parameters, "head", &ParameterInfo::name) == parameters.end();
  return {
      .final_norm = tensor_named<Tensor>(parameters, "final_norm", units),
      .head = tensor_named<Tensor>(parameters, is_tied ? "embedding" : "head", units),
  };
}

}  // namespace

UnitLeases::UnitLeases(ParameterSource& source, const ParameterTable& table, Depth depth)
    : units_{table.units_at(depth)} {
  for (std::size_t i = 0; i < units_.size(); ++i) leases_.at(i).emplace(source, units_[i]);
}

ConstElements UnitLeases::tensor(const ParameterInfo& parameter) const {
  for (std::size_t i = 0; i < units_.size(); ++i) {
    if (units_[i] != parameter.unit) continue;
    return leases_[i]->values().subspan(parameter.offset, parameter.numel);
  }
  throw internal_error("tensor '{}' is read at a depth where its unit is not", parameter.name);
}

UnitGradients::UnitGradients(ParameterSource& source, const ParameterTable& table, Depth depth) {
  for (const UnitId unit : table.units_at(depth)) {
    if (!table.unit(unit).trains) continue;
    unit_ = unit;
    room_ = source.gradient_room(unit);
  }
}

std::span<float> UnitGradients::tensor(const ParameterInfo& parameter) const {
  if (unit_ != parameter.unit) return {};
  return room_.values.subspan(parameter.offset, parameter.numel);
}

BlockWeights block_tensors(const ParameterTable& table, std::size_t layer,
                           const UnitLeases& units) {
  return block_in<ConstElements>(table, layer, units);
}

BlockGradients block_tensors(const ParameterTable& table, std::size_t layer,
                             const UnitGradients& units) {
  return block_in<std::span<float>>(table, layer, units);
}

EmbeddingWeights embedding_tensors(const ParameterTable& table, const UnitLeases& units) {
  return embedding_in<ConstElements>(table, units);
}

EmbeddingGradients embedding_tensors(const ParameterTable& table, const UnitGradients& units) {
  return embedding_in<std::span<float>>(table, units);
}

HeadWeights head_tensors(const ParameterTable& table, const UnitLeases& units) {
  return head_in<ConstElements>(table, units);
}

HeadGradients head_tensors(const ParameterTable& table, const UnitGradients& units) {
  return head_in<std::span<float>>(table, units);
}

}  // namespace ballast::model
