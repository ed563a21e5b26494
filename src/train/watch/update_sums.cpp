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
      update_(staleness_.size()) {
  const auto& table = layout.table();
  for (std::size_t row = 0; row < table.parameters().size(); ++row) {
    if (table.trains(table.parameters()[row])) trained_rows_.push_back(row);
  }
}

std::uint64_t UpdateSums::bytes(const fsdp::ShardLayout& layout) {
  return layout.trained_numel() / kGranule * sizeof(kernels::AdamWPartials);
}

std::span<kernels::AdamWPartials> UpdateSums::room_for(model::UnitId unit) {
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
  add_owned();
  comm::merge(world, {staleness_, weight_, update_}, {"probe", "sums of the update"});
  monitor::UpdateSignals signals = without_update();
  for (std::size_t i = 0; i < signals.size(); ++i) {
    const std::size_t row = trained_rows_[i];
    const auto numel = static_cast<double>(layout_->table().parameters()[row].numel);
    const auto root_mean = [&](const ExactSum& sum) {
      return sum.nonfinite() == 0 ? std::sqrt(sum.value() / numel) : std::nan("");
    };
    signals[i].staleness = root_mean(staleness_[row]);
    signals[i].weight = root_mean(weight_[row]);
    signals[i].update = root_mean(update_[row]) / signals[i].weight;
  }
  return signals;
}

monitor::UpdateSignals UpdateSums::without_update() const {
  monitor::UpdateSignals signals;
  for (const std::size_t row : trained_rows_) {
    const model::ParameterInfo& parameter = layout_->table().parameters()[row];
    signals.push_back({.name = parameter.name,
                       .layer = layout_->table().layer_of(row),
                       .is_matrix = parameter.shape.size() > 1});
  }
  return signals;
}

}  // namespace ballast::train
