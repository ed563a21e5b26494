#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "train/watch/step_observer.hpp"

namespace ballast::train {

/// All who watch a step, told of it one after the other: those that watch every step, and the
/// guests of the one that is under way.
class StepObservers final : public StepObserver {
 public:
  explicit StepObservers(std::vector<std::unique_ptr<StepObserver>> standing);

  /// Who watches the step that follows besides the standing ones; null pointers count for nothing.
  void invite(std::initializer_list<StepObserver*> guests);
  /// For the model, to which nobody is null.
  [[nodiscard]] model::BlockObserver* of_blocks() { return all_.empty() ? nullptr : this; }
  /// What any of the standing ones has to say after `step`.
  [[nodiscard]] std::vector<std::string> all_news(std::uint64_t step);

  void begin_step() override;
  void before_micro_batch(std::uint64_t sample, const model::Batch& batch) override;
  void without_micro_batch() override;
  void before_blocks(std::span<const float> residual) override;
  void after_block(std::size_t layer, std::span<const float> residual,
                   const model::AttentionSignals& attention) override;
  void add_gradient(std::size_t layer, std::span<float> gradient) override;
  void before_update(comm::Communicator& world) override;
  /// The first one's that wants any.
  std::span<kernels::AdamWPartials> room_for_update(model::UnitId unit) override;
  void after_unit(model::UnitId unit, const optim::MasterSlice& master) override;

 private:
  std::vector<std::unique_ptr<StepObserver>> standing_;
  std::vector<StepObserver*> all_;  ///< of the step under way
};

}  // namespace ballast::train
