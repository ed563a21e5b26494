#pragma once

#include <cstdint>

#include "monitor/probe/probe_rows.hpp"
#include "monitor/probe/token_sample.hpp"
#include "train/watch/shaping.hpp"
#include "train/watch/step_observer.hpp"
#include "train/watch/update_sums.hpp"

namespace ballast::train {

/// Collects the rows of one probe in forward passes. In the backward it may apply Shaping.
class ProbeObserver final : public StepObserver {
 public:
  /// Begins a probe of `step` and empties `rows`. `updates` receives the sums of the step's update,
  /// `shaping` acts on the same samples; both may be null. All must outlive this.
  ProbeObserver(std::uint64_t step, monitor::ProbeRows& rows, monitor::TokenSample& sample,
                UpdateSums* updates = nullptr, Shaping* shaping = nullptr)
      : step_{step}, rows_{&rows}, sample_{&sample}, updates_{updates}, shaping_{shaping} {
    rows_->clear();
  }

  void before_micro_batch(std::uint64_t sample, const model::Batch& batch) override {
    rows_->select(sample_->choose(step_, sample, batch.positions, batch.labels));
  }
  void before_blocks(std::span<const float> residual) override { rows_->keep(0, residual); }
  void after_block(std::size_t layer, std::span<const float> residual,
                   const model::AttentionSignals& attention) override {
    rows_->keep(layer + 1, residual);
    rows_->keep_logit(layer, attention.largest_logit);
  }
  void add_gradient(std::size_t layer, std::span<float> gradient) override {
    if (shaping_ != nullptr) shaping_->add(layer, gradient);
  }
  std::span<kernels::AdamWPartials> room_for_update(model::UnitId unit) override {
    if (updates_ == nullptr) return {};
    return updates_->room_for(unit);
  }

 private:
  std::uint64_t step_;
  monitor::ProbeRows* rows_;
  monitor::TokenSample* sample_;
  UpdateSums* updates_;
  Shaping* shaping_;
};

}  // namespace ballast::train
