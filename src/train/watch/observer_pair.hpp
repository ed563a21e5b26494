#pragma once

#include <array>

#include "train/watch/step_observer.hpp"

namespace ballast::train {

/// Shows a step to two observers, one after the other; either may be null.
class ObserverPair final : public StepObserver {
 public:
  void set(StepObserver* first, StepObserver* second) { observers_ = {first, second}; }

  void before_micro_batch(std::uint64_t sample, const model::Batch& batch) override {
    for_each([&](StepObserver& o) { o.before_micro_batch(sample, batch); });
  }
  void before_blocks(std::span<const float> residual) override {
    for_each([&](StepObserver& o) { o.before_blocks(residual); });
  }
  void after_block(std::size_t layer, std::span<const float> residual,
                   const model::AttentionSignals& attention) override {
    for_each([&](StepObserver& o) { o.after_block(layer, residual, attention); });
  }
  void add_gradient(std::size_t layer, std::span<float> gradient) override {
    for_each([&](StepObserver& o) { o.add_gradient(layer, gradient); });
  }
  /// The first one's that wants any.
  std::span<kernels::AdamWPartials> room_for_update(model::UnitId unit) override {
    std::span<kernels::AdamWPartials> room;
    for_each([&](StepObserver& o) {
      if (room.empty()) room = o.room_for_update(unit);
    });
    return room;
  }

 private:
  template <class Act>
  void for_each(Act&& act) {
    for (StepObserver* observer : observers_) {
      if (observer != nullptr) act(*observer);
    }
  }

  std::array<StepObserver*, 2> observers_{};
};

}  // namespace ballast::train
