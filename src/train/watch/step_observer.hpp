#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "comm/communicator.hpp"
#include "kernels/adamw_update.hpp"
#include "model/batch.hpp"
#include "model/observer.hpp"
#include "model/parameters.hpp"
#include "optim/master_weights.hpp"

namespace ballast::train {

/// Observes whole steps and may change them. A step calls, in this order: begin_step; for each of
/// this rank's micro-batches before_micro_batch and the functions of BlockObserver; then, unless
/// the update is skipped, before_update, and for each unit room_for_update and after_unit.
class StepObserver : public model::BlockObserver {
 public:
  virtual void begin_step() {}

  /// `sample`: the training sample that the micro-batch starts with, over the whole job.
  virtual void before_micro_batch(std::uint64_t sample, const model::Batch& batch);
  /// Called instead on a rank that has no micro-batch while others compute one. An observer whose
  /// before_micro_batch is collective takes part in it here.
  virtual void without_micro_batch() {}

  /// The gradient is finite on all ranks, so that the weights are updated. Collective.
  virtual void before_update(comm::Communicator& world);
  /// Where the update of `unit` writes its sums, one for each granule that this rank holds; empty:
  /// they are not wanted.
  [[nodiscard]] virtual std::span<kernels::AdamWPartials> room_for_update(model::UnitId unit);
  /// This rank's run of `unit` is updated and not yet published.
  virtual void after_unit(model::UnitId unit, const optim::MasterSlice& master);

  /// A line for the log after `step`; nothing if there is none.
  [[nodiscard]] virtual std::optional<std::string> log_line(std::uint64_t step);
};

inline void StepObserver::before_micro_batch(std::uint64_t, const model::Batch&) {}
inline void StepObserver::before_update(comm::Communicator&) {}
inline std::span<kernels::AdamWPartials> StepObserver::room_for_update(model::UnitId) { return {}; }
inline void StepObserver::after_unit(model::UnitId, const optim::MasterSlice&) {}
inline std::optional<std::string> StepObserver::log_line(std::uint64_t) { return {}; }

}  // namespace ballast::train
