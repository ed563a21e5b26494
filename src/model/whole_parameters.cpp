#include "model/whole_parameters.hpp"

#include <algorithm>

#include "kernels/convert.hpp"
#include "model/initialize.hpp"

namespace ballast::model {

namespace {

std::span<float> floats(const Mapping& mapping) {
  const auto bytes = mapping.bytes();
  return {reinterpret_cast<float*>(bytes.data()), bytes.size() / sizeof(float)};
}

std::span<float> unit_part(const Mapping& mapping, const UnitInfo& unit) {
  return floats(mapping).subspan(unit.first_granule * kGranule, unit.padded_numel());
}

std::span<float> tensor_part(const Mapping& mapping, const ParameterTable& table,
                             const ParameterInfo& parameter) {
  return unit_part(mapping, table.unit(parameter.unit)).subspan(parameter.offset, parameter.numel);
}

}  // namespace

WholeParameters::WholeParameters(const ParameterTable& table, Gradients gradients,
                                 ElementType compute)
    : table_{&table},
      compute_{compute},
      values_{table.total_granules() * kGranule * sizeof(float)} {
  if (gradients == Gradients::kept) gradients_ = Mapping{values_.bytes().size()};
  if (compute != ElementType::fp32) {
    rounded_ = Mapping{table.total_granules() * kGranule * size_of(compute)};
  }
}

std::span<float> WholeParameters::values(UnitId unit) {
  return unit_part(values_, table_->unit(unit));
}

std::span<const float> WholeParameters::gradients(UnitId unit) const {
  return unit_part(gradients_, table_->unit(unit));
}

std::span<float> WholeParameters::tensor(const ParameterInfo& parameter) {
  return tensor_part(values_, *table_, parameter);
}

std::span<const float> WholeParameters::gradient(const ParameterInfo& parameter) const {
  return tensor_part(gradients_, *table_, parameter);
}

std::span<float> WholeParameters::all_values() { return floats(values_); }

std::span<const float> WholeParameters::all_gradients() const { return floats(gradients_); }

void WholeParameters::initialize_all(std::uint64_t seed) {
  const auto parameters = table_->parameters();
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const auto& parameter = parameters[i];
    const auto out = values(parameter.unit).subspan(parameter.offset);
    initialize(parameter, i, seed, {0, parameter.granules()},
               out.first(padded_numel(parameter.numel)));
  }
}

void WholeParameters::clear_gradients() { std::ranges::fill(floats(gradients_), 0.0f); }

ConstElements WholeParameters::acquire(UnitId unit) {
  if (compute_ == ElementType::fp32) return values(unit);
  const UnitInfo& info = table_->unit(unit);
  const Elements all{rounded_.bytes().data(), table_->total_granules() * kGranule, compute_};
  const Elements rounded = all.subspan(info.first_granule * kGranule, info.padded_numel());
  kernels::narrow(values(unit), rounded);
  return rounded;
}

GradientRoom WholeParameters::gradient_room(UnitId unit) {
  return {unit_part(gradients_, table_->unit(unit)), kernels::Store::add};
}

}  // namespace ballast::model
