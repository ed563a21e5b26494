#include "train/verdict.hpp"

#include <algorithm>
#include <array>
#include <mutex>

#include "kernels/elementwise.hpp"

namespace ballast::train {

namespace {

/// Granules that one task takes.
constexpr std::size_t kTaskGranules = 64;

}  // namespace

void StepSums::merge_over(comm::Communicator& world) {
  constexpr std::size_t kLimbs = ExactSum::kLimbs;
  std::array<std::int64_t, 4 * kLimbs + 3 + kStopCauses> values{};
  const std::array sums{&loss.weighted_nll, &loss.weight, &loss.weighted_log_z, &squared_gradient};
  for (std::size_t i = 0; i < sums.size(); ++i) {
    std::ranges::copy(sums[i]->limbs(), values.begin() + static_cast<std::ptrdiff_t>(i * kLimbs));
  }
  values[4 * kLimbs] = loss.labels;
  values[4 * kLimbs + 1] = data_faults;
  values[4 * kLimbs + 2] = save_requests;
  const auto stop_values = std::span{values}.last(kStopCauses);
  std::ranges::copy(stops.values(), stop_values.begin());

  world.sum(values, {"verdict"});

  for (std::size_t i = 0; i < sums.size(); ++i) {
    std::ranges::copy(std::span{values}.subspan(i * kLimbs, kLimbs), sums[i]->limbs().begin());
  }
  loss.labels = values[4 * kLimbs];
  data_faults = values[4 * kLimbs + 1];
  save_requests = values[4 * kLimbs + 2];
  std::ranges::copy(stop_values, stops.values().begin());
}

void add_squared_gradient(const fsdp::ShardedParameters& parameters, ExactSum& sum, Team* team) {
  std::mutex mutex;
  for (const auto& segment : parameters.layout().trained_segments()) {
    const auto values = parameters.accumulators().segment(segment).first(segment.logical_numel);
    run_pieces(team, values.size(), kTaskGranules * kGranule,
               [&](std::size_t first, std::size_t count) {
                 // Exact, so that it does not matter who adds first.
                 ExactSum part;
                 kernels::add_squares(values.subspan(first, count), part);
                 const std::lock_guard lock{mutex};
                 sum.merge(part);
               });
  }
}

}  // namespace ballast::train
