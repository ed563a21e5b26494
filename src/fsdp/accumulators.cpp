#include "fsdp/accumulators.hpp"

#include "model/step_program.hpp"
#include "tensor/reuse.hpp"

namespace ballast::fsdp {

namespace {

/// Units in the order in which their gradients are complete.
std::vector<model::UnitId> completion_order(const model::ParameterTable& table) {
  std::vector<model::UnitId> order;
  for (const model::Visit& visit : model::training_program(table)) {
    if (visit.gradient == model::Gradient::complete) order.push_back(visit.unit);
  }
  return order;
}

}  // namespace

Accumulators::Accumulators(const ShardLayout& layout, std::span<const Arena::Extent> reusable,
                           std::size_t units_late, bool keeps_open, Arena& arena)
    : layout_{&layout}, arena_{&arena}, slots_(layout.table().units().size()) {
  Reuse memory{arena};
  const auto order = completion_order(layout.table());
  std::size_t lent = reusable.empty() ? order.size() : 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    for (; lent < order.size() && lent <= i + units_late; ++lent) {
      memory.lend(reusable[order[lent]]);
    }
    slots_[order[i]] = memory.reserve<float>(MemoryClass::gradients, layout.held(order[i]).numel());
  }
  if (!keeps_open) return;
  open_.resize(slots_.size());
  for (const model::UnitId unit : order) {
    open_[unit] = arena.reserve<float>(MemoryClass::gradients, layout.owned(unit).numel());
  }
}

std::span<const float> Accumulators::segment(const ShardSegment& segment) const {
  const model::UnitId unit = layout_->table().parameters()[segment.parameter].unit;
  return held(unit).subspan(segment.local_offset - layout_->held_offset(unit),
                            segment.granules.numel());
}

}  // namespace ballast::fsdp
