#include "train/watch/update_sums.hpp"

#include <algorithm>
#include <cmath>

#include "comm/merge.hpp"

namespace ballast::train {

UpdateSums::UpdateSums(const fsdp::ShardLayout& layout)
    : layout_{&layout},
      partials_(layout.trained_numel() / kGranule),
      staleness_(layout.table().parameters().size()),
      weight_(staleness_.size()),
      update_(staleness_.size()) {}

std::uint64_t UpdateSums::bytes(const fsdp::ShardLayout& layout) {
  return layout.trained_numel() / kGranule * sizeof(kernels::AdamWPartials);
}

std::span<kernels::AdamWPartials> UpdateSums::room_for(model::UnitId unit) {
  has_update_ = true;
  return std::span{partials_}.subspan(layout_->held_offset(unit) / kGranule,
                                      layout_->held(unit).count);
}

void UpdateSums::add_owned() {
  for (auto* sums : {&staleness_, &weight_, &update_}) std::ranges::fill(*sums, ExactSum{});
  for (const auto& segment : layout_->trained_segments()) {
    const std::size_t tensor = segment.parameter;
    const auto own = std::span{partials_}.subspan(segment.local_offset / kGranule,
                                                  granules_for(segment.logical_numel));
    for (const auto& granule : own) {
      staleness_[tensor].add(static_cast<double>(granule.staleness));
      weight_[tensor].add(static_cast<double>(granule.weight));
      update_[tensor].add(static_cast<double>(granule.update));
    }
  }
}

monitor::UpdateSignals UpdateSums::gather(comm::Communicator& world) {
  if (has_update_) {
    add_owned();
    comm::merge(world, {staleness_, weight_, update_}, {"probe", "sums of the update"});
  }
  monitor::UpdateSignals signals;
  for (std::size_t tensor = 0; tensor < weight_.size(); ++tensor) {
    if (!layout_->table().trains(layout_->table().parameters()[tensor])) continue;
    signals.push_back(signals_of(tensor));
  }
  return signals;
}

monitor::TensorUpdate UpdateSums::signals_of(std::size_t tensor) const {
  const model::ParameterInfo& parameter = layout_->table().parameters()[tensor];
  monitor::TensorUpdate signals{.name = parameter.name,
                                .layer = layout_->table().layer_of(tensor),
                                .is_matrix = parameter.shape.size() > 1};
  if (!has_update_) return signals;
  const auto root_mean = [&](const ExactSum& sum) {
    return sum.nonfinite() == 0 ? std::sqrt(sum.value() / static_cast<double>(parameter.numel))
                                : std::nan("");
  };
  signals.staleness = root_mean(staleness_[tensor]);
  signals.weight = root_mean(weight_[tensor]);
  signals.update = root_mean(update_[tensor]) / signals.weight;
  return signals;
}

}  // namespace ballast::train
