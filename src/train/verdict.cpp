#include "train/verdict.hpp"

#include <mutex>

#include "comm/merge.hpp"
#include "kernels/elementwise.hpp"

namespace ballast::train {

namespace {

/// Granules that one task takes.
constexpr std::size_t kTaskGranules = 64;

}  // namespace

void StepSums::merge_over(comm::Communicator& world) {
  comm::merge(world,
              {loss.exact_sums(), loss.label_count(), squared_gradient, stops.values(), data_faults,
               save_requests},
              {"verdict"});
}

void add_squared_gradient(const fsdp::ShardedParameters& parameters, ExactSum& sum, Team* team) {
  std::mutex mutex;
  for (const auto& segment : parameters.layout().trained_segments()) {
    const auto values = parameters.accumulators().segment(segment).first(segment.logical_numel);
    run_pieces(team, values.size(), kTaskGranules * kGranule,
               [&](std::size_t first, std::size_t count) {
                 // Exact sums do not depend on which task adds first.
                 ExactSum part;
                 kernels::add_squares(values.subspan(first, count), part);
                 const std::lock_guard lock{mutex};
                 sum.merge(part);
               });
  }
}

}  // namespace ballast::train
