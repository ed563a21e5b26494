#include "train/plan/optimizer_state.hpp"

#include <utility>

namespace ballast::train {

namespace {

std::vector<std::vector<optim::Group>> decay_groups(const fsdp::ShardLayout& layout) {
  const auto& table = layout.table();
  std::vector<std::vector<optim::Group>> groups(table.units().size());
  for (const auto& segment : layout.held_segments()) {
    const auto& parameter = table.parameters()[segment.parameter];
    groups[parameter.unit].push_back({segment.local_offset - layout.held_offset(parameter.unit),
                                      segment.logical_numel, parameter.decay == model::Decay::yes});
  }
  return groups;
}

}  // namespace

OptimizerState::OptimizerState(const fsdp::ShardLayout& layout, const fsdp::Policy& policy,
                               Arena& arena)
    : layout_{&layout}, arena_{&arena}, groups_{decay_groups(layout)} {
  const std::size_t trained = layout.trained_numel();
  moment1_ = arena.reserve<float>(MemoryClass::optimizer, trained);
  moment2_ = arena.reserve<float>(MemoryClass::optimizer, trained);
  if (policy.compute == ElementType::bf16) {
    low_ = arena.reserve<std::int16_t>(MemoryClass::parameters, trained);
  } else if (policy.compute == ElementType::fp16) {
    full_ = arena.reserve<float>(MemoryClass::parameters, trained);
  }
}

optim::MasterSlice OptimizerState::master(const fsdp::ShardedParameters& parameters,
                                          model::UnitId unit) const {
  const std::size_t offset = layout_->held_offset(unit);
  const Elements compute = parameters.held(unit);
  const auto rest = [&](auto all) {
    return layout_->trains(unit) && !all.empty() ? all.subspan(offset, compute.size())
                                                 : decltype(all){};
  };
  return {offset, compute, rest(arena_->view(low_)), rest(arena_->view(full_))};
}

optim::MasterWeights OptimizerState::masters(const fsdp::ShardedParameters& parameters) const {
  std::vector<optim::MasterSlice> slices;
  for (const model::UnitId unit : layout_->order()) slices.push_back(master(parameters, unit));
  return optim::MasterWeights{std::move(slices)};
}

}  // namespace ballast::train
