#include "base/profile.hpp"

#include <algorithm>

namespace ballast {

namespace {

constexpr std::array<std::string_view, kRegions> kNames{
    "step",
    "forward",
    "backward",
    "block",
    "block backward",
    "recompute",
    "loss",
    "evaluation",
    "product NT",
    "product NN",
    "product TN",
    "product TT",
    "attention",
    "attention backward",
    "norm",
    "norm backward",
    "rope",
    "swiglu",
    "swiglu backward",
    "activation",
    "activation backward",
    "bias",
    "bias backward",
    "softcap",
    "softcap backward",
    "residual",
    "cross-entropy",
    "top tokens",
    "embedding",
    "embedding backward",
    "gradient norm",
    "optimizer",
    "gather",
    "gradient room",
    "reduce",
    "gather of gradients",
    "verdict",
    "data",
    "checkpoint",
};

}  // namespace

std::string_view name_of(Region region) { return kNames[static_cast<std::size_t>(region)]; }

Profile::Profile(std::size_t events) : recorder_{std::make_shared<Recorder>(events)} {}

std::vector<ProfileEvent> Profile::last_steps(std::size_t steps) const {
  return recorder_->last_steps(steps);
}

std::vector<ProfileEvent> Profile::Recorder::last_steps(std::size_t steps) const {
  const std::uint64_t first = recorded_ - std::min<std::uint64_t>(recorded_, ring_.size());
  // A span is recorded as it ends, so what lies within the oldest step may be overwritten already
  // while the step itself is not: only what started after the oldest record ended is whole.
  const std::int64_t whole_from = first == 0 ? 0 : ring_[first % ring_.size()].end_ns;
  std::int64_t from = INT64_MAX;
  std::size_t found = 0;
  for (std::uint64_t i = recorded_; i-- > first && found < steps;) {
    const ProfileEvent& event = ring_[i % ring_.size()];
    if (event.region != Region::step || event.start_ns < whole_from) continue;
    from = event.start_ns;
    ++found;
  }
  std::vector<ProfileEvent> events;
  for (std::uint64_t i = first; i < recorded_; ++i) {
    const ProfileEvent& event = ring_[i % ring_.size()];
    if (event.start_ns >= from) events.push_back(event);
  }
  std::ranges::stable_sort(events, [](const ProfileEvent& a, const ProfileEvent& b) {
    return a.start_ns != b.start_ns ? a.start_ns < b.start_ns : a.depth < b.depth;
  });
  return events;
}

}  // namespace ballast
