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

template <class T>
std::span<T> part(std::span<T> all, std::size_t offset, std::size_t numel) {
  return all.empty() ? all : all.subspan(offset, numel);
}

}  // namespace

OptimizerState::OptimizerState(const fsdp::ShardLayout& layout, const fsdp::Policy& policy,
                               Arena& arena)
    : layout_{&layout}, arena_{&arena}, groups_{decay_groups(layout)} {
  if (policy.purpose == fsdp::Purpose::evaluation) return;
  moment1_ = arena.reserve<float>(MemoryClass::optimizer, layout.local_numel());
  moment2_ = arena.reserve<float>(MemoryClass::optimizer, layout.local_numel());
  if (policy.compute == ElementType::bf16) {
    low_ = arena.reserve<std::int16_t>(MemoryClass::parameters, layout.local_numel());
  } else if (policy.compute == ElementType::fp16) {
    full_ = arena.reserve<float>(MemoryClass::parameters, layout.local_numel());
  }
}

optim::MasterSlice OptimizerState::master(const fsdp::ShardedParameters& parameters,
                                          model::UnitId unit) const {
  const std::size_t offset = layout_->held_offset(unit);
  const Elements compute = parameters.held(unit);
  return {offset, compute, part(arena_->view(low_), offset, compute.size()),
          part(arena_->view(full_), offset, compute.size())};
}

optim::MasterWeights OptimizerState::masters(const fsdp::ShardedParameters& parameters) const {
  std::vector<optim::MasterSlice> slices;
  for (model::UnitId unit = 0; unit < layout_->table().units().size(); ++unit) {
    slices.push_back(master(parameters, unit));
  }
  return optim::MasterWeights{std::move(slices)};
}

}  // namespace ballast::train
