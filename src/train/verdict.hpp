#pragma once

#include "base/exact_sum.hpp"
#include "comm/communicator.hpp"
#include "fsdp/sharded_parameters.hpp"
#include "model/loss_sums.hpp"
#include "train/stop.hpp"

namespace ballast::train {

/// What one rank knows of a step, in sums that merge exactly in any order.
struct StepSums {
  model::LossSums loss;
  ExactSum squared_gradient{};  ///< of the accumulators, granule by granule
  StopCounts stops{};
  std::int64_t data_faults = 0;    ///< ranks that could not read their samples
  std::int64_t save_requests = 0;  ///< ranks whose clock asks for a checkpoint

  /// Replaces each sum by that over all ranks, in one small exchange of integers. All ranks then
  /// come to the same verdict. Collective.
  void merge_over(comm::Communicator& world);
};

/// Adds up the squares of this rank's accumulated gradient, one granule at a time.
void add_squared_gradient(const fsdp::ShardedParameters& parameters, ExactSum& sum,
                          Team* team = nullptr);

}  // namespace ballast::train
