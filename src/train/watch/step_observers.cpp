#include "train/watch/step_observers.hpp"

#include <utility>

namespace ballast::train {

namespace {

/// Observers of one step for which memory is reserved, so that a step allocates nothing.
constexpr std::size_t kOfOneStep = 8;

}  // namespace

StepObservers::StepObservers(std::vector<std::unique_ptr<StepObserver>> standing)
    : standing_{std::move(standing)} {
  all_.reserve(standing_.size() + kOfOneStep);
}

void StepObservers::set_for_step(std::initializer_list<StepObserver*> observers) {
  all_.clear();
  for (StepObserver* observer : observers) {
    if (observer != nullptr) all_.push_back(observer);
  }
  for (const auto& observer : standing_) all_.push_back(observer.get());
}

std::vector<std::string> StepObservers::log_lines(std::uint64_t step) {
  std::vector<std::string> lines;
  for (const auto& observer : standing_) {
    if (auto line = observer->log_line(step)) lines.push_back(std::move(*line));
  }
  return lines;
}

void StepObservers::begin_step() {
  for (StepObserver* observer : all_) observer->begin_step();
}

void StepObservers::before_micro_batch(std::uint64_t sample, const model::Batch& batch) {
  for (StepObserver* observer : all_) observer->before_micro_batch(sample, batch);
}

void StepObservers::without_micro_batch() {
  for (StepObserver* observer : all_) observer->without_micro_batch();
}

void StepObservers::before_blocks(std::span<const float> residual) {
  for (StepObserver* observer : all_) observer->before_blocks(residual);
}

void StepObservers::after_block(std::size_t layer, std::span<const float> residual,
                                const model::AttentionSignals& attention) {
  for (StepObserver* observer : all_) observer->after_block(layer, residual, attention);
}

void StepObservers::add_gradient(std::size_t layer, std::span<float> gradient) {
  for (StepObserver* observer : all_) observer->add_gradient(layer, gradient);
}

void StepObservers::before_update(comm::Communicator& world) {
  for (StepObserver* observer : all_) observer->before_update(world);
}

std::span<kernels::AdamWPartials> StepObservers::room_for_update(model::UnitId unit) {
  for (StepObserver* observer : all_) {
    const auto room = observer->room_for_update(unit);
    if (!room.empty()) return room;
  }
  return {};
}

void StepObservers::after_unit(model::UnitId unit, const optim::MasterSlice& master) {
  for (StepObserver* observer : all_) observer->after_unit(unit, master);
}

}  // namespace ballast::train
