#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "train/watch/step_observer.hpp"

namespace ballast::train {

/// All observers of a step, called one after the other: those of one step alone, then those of
/// every step.
class StepObservers final : public StepObserver {
 public:
  explicit StepObservers(std::vector<std::unique_ptr<StepObserver>> standing);

  /// Sets the observers of the next step alone. Null pointers are ignored.
  void set_for_step(std::initializer_list<StepObserver*> observers);
  /// What the model calls: this, or null if there are no observers.
  [[nodiscard]] model::BlockObserver* of_blocks() { return all_.empty() ? nullptr : this; }
  /// The lines for the log from the observers of every step, after `step`.
  [[nodiscard]] std::vector<std::string> log_lines(std::uint64_t step);

  void begin_step() override;
  void before_micro_batch(std::uint64_t sample, const model::Batch& batch) override;
  void without_micro_batch() override;
  void before_blocks(std::span<const float> residual) override;
  void after_block(std::size_t layer, std::span<const float> residual,
                   const model::AttentionSignals& attention) override;
  void add_gradient(std::size_t layer, std::span<float> gradient) override;
  void before_update(comm::Communicator& world) override;
  /// That of the first observer that wants any.
  std::span<kernels::AdamWPartials> room_for_update(model::UnitId unit) override;
  void after_unit(model::UnitId unit, const optim::MasterSlice& master) override;

 private:
  std::vector<std::unique_ptr<StepObserver>> standing_;
  std::vector<StepObserver*> all_;  ///< of the step under way
};

}  // namespace ballast::train
