#pragma once

#include <cstdint>

#include "model/batch.hpp"
#include "model/observer.hpp"

namespace ballast::train {

/// Watches whole steps: it is told which micro-batch the blocks are about to see.
class StepObserver : public model::BlockObserver {
 public:
  /// `sample`: the training sample that the micro-batch starts with, over the whole job.
  virtual void before_micro_batch(std::uint64_t sample, const model::Batch& batch) {
    (void)sample;
    (void)batch;
  }
};

}  // namespace ballast::train
