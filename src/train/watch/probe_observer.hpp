#pragma once

#include <cstdint>

#include "monitor/probe/probe_rows.hpp"
#include "monitor/probe/token_sample.hpp"
#include "train/watch/shaping.hpp"
#include "train/watch/step_observer.hpp"
#include "train/watch/update_sums.hpp"

namespace ballast::train {

/// Collects, while a step's micro-batches pass, what a probe looks at; on the way back a step may
/// be shaped.
class ProbeObserver final : public StepObserver {
 public:
  /// `rows` and `updates` must outlive this.
  ProbeObserver(monitor::ProbeRows& rows, monitor::TokenSample sample, UpdateSums& updates)
      : rows_{&rows}, sample_{std::move(sample)}, updates_{&updates} {}

  /// A probe of `step` begins. `shaping`, if not null, acts on the same samples.
  void begin(std::uint64_t step, Shaping* shaping = nullptr) {
    step_ = step;
    shaping_ = shaping;
    rows_->clear();
    updates_->begin();
  }

  void before_micro_batch(std::uint64_t sample, const model::Batch& batch) override {
    rows_->select(sample_.choose(step_, sample, batch.positions, batch.labels));
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
    return updates_->room_for(unit);
  }

 private:
  std::uint64_t step_ = 0;
  Shaping* shaping_ = nullptr;
  monitor::ProbeRows* rows_;
  monitor::TokenSample sample_;
  UpdateSums* updates_;
};

}  // namespace ballast::train
