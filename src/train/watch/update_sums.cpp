#include "train/watch/update_sums.hpp"

#include <algorithm>
#include <cmath>

namespace ballast::train {

namespace {

constexpr std::size_t kSumsOfTensor = 3;

}  // namespace

UpdateSums::UpdateSums(const fsdp::ShardLayout& layout)
    : layout_{&layout},
      partials_(layout.local_numel() / kGranule),
      sums_(layout.table().parameters().size()),
      words_(sums_.size() * kSumsOfTensor * ExactSum::kLimbs) {}

std::uint64_t UpdateSums::bytes(const fsdp::ShardLayout& layout) {
  return layout.local_numel() / kGranule * sizeof(kernels::AdamWPartials);
}

std::span<kernels::AdamWPartials> UpdateSums::room_for(model::UnitId unit) {
  return std::span{partials_}.subspan(layout_->held_offset(unit) / kGranule,
                                      layout_->held(unit).count);
}

void UpdateSums::add_owned() {
  std::ranges::fill(sums_, Sums{});
  for (const auto& segment : layout_->owned_segments()) {
    Sums& sums = sums_[segment.parameter];
    const auto own = std::span{partials_}.subspan(segment.local_offset / kGranule,
                                                  granules_for(segment.logical_numel));
    for (const auto& granule : own) {
      sums.staleness.add(static_cast<double>(granule.staleness));
      sums.weight.add(static_cast<double>(granule.weight));
      sums.update.add(static_cast<double>(granule.update));
    }
  }
}

void UpdateSums::merge_over(comm::Communicator& world) {
  auto out = words_.begin();
  for (const Sums& sums : sums_) {
    for (const auto* sum : {&sums.staleness, &sums.weight, &sums.update}) {
      out = std::ranges::copy(sum->limbs(), out).out;
    }
  }
  world.sum(words_, {"probe", "sums of the update"});
  auto in = words_.begin();
  for (Sums& sums : sums_) {
    for (auto* sum : {&sums.staleness, &sums.weight, &sums.update}) {
      std::copy_n(in, ExactSum::kLimbs, sum->limbs().begin());
      in += ExactSum::kLimbs;
    }
  }
}

monitor::UpdateSignals UpdateSums::gather(comm::Communicator& world) {
  add_owned();
  merge_over(world);
  const auto parameters = layout_->table().parameters();
  monitor::UpdateSignals signals = without_update();
  for (std::size_t i = 0; i < signals.size(); ++i) {
    const auto root_mean = [&](const ExactSum& sum) {
      return sum.nonfinite() == 0
                 ? std::sqrt(sum.value() / static_cast<double>(parameters[i].numel))
                 : std::nan("");
    };
    signals[i].staleness = root_mean(sums_[i].staleness);
    signals[i].weight = root_mean(sums_[i].weight);
    signals[i].update = root_mean(sums_[i].update) / signals[i].weight;
  }
  return signals;
}

monitor::UpdateSignals UpdateSums::without_update() const {
  const auto parameters = layout_->table().parameters();
  monitor::UpdateSignals signals;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    signals.push_back({.name = parameters[i].name,
                       .layer = layout_->table().layer_of(i),
                       .is_matrix = parameters[i].shape.size() > 1});
  }
  return signals;
}

}  // namespace ballast::train
