#pragma once

#include <cstdint>
#include <span>

#include "kernels/adamw_update.hpp"
#include "model/batch.hpp"
#include "model/observer.hpp"
#include "model/parameters.hpp"

namespace ballast::train {

/// Watches whole steps: it is told which micro-batch the blocks are about to see.
class StepObserver : public model::BlockObserver {
 public:
  /// `sample`: the training sample that the micro-batch starts with, over the whole job.
  virtual void before_micro_batch(std::uint64_t sample, const model::Batch& batch) {
    (void)sample;
    (void)batch;
  }

  /// Where the update of `unit` is to leave what it tells of each granule that this rank holds;
  /// empty: nowhere.
  [[nodiscard]] virtual std::span<kernels::AdamWPartials> room_for_update(model::UnitId unit) {
    (void)unit;
    return {};
  }
};

}  // namespace ballast::train
