#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/exact_sum.hpp"
#include "comm/communicator.hpp"
#include "fsdp/shard_layout.hpp"
#include "kernels/adamw_update.hpp"
#include "monitor/signals/update_signals.hpp"

namespace ballast::train {

/// What one update of the weights shows of each tensor, over all ranks.
class UpdateSums {
 public:
  /// `layout` must outlive this.
  explicit UpdateSums(const fsdp::ShardLayout& layout);

  /// What it takes, but for a few sums a tensor.
  [[nodiscard]] static std::uint64_t bytes(const fsdp::ShardLayout& layout);

  /// A step begins, whose update may be skipped.
  void begin() { has_update_ = false; }
  /// Where the update of `unit` is to leave what it tells of each granule that this rank holds.
  [[nodiscard]] std::span<kernels::AdamWPartials> room_for(model::UnitId unit);

  /// The job's: exact sums of what granules tell, each from the rank that owns it. The same on
  /// every rank and at any number of ranks. Collective.
  [[nodiscard]] monitor::UpdateSignals gather(comm::Communicator& world);

 private:
  void add_owned();
  [[nodiscard]] monitor::TensorUpdate signals_of(std::size_t tensor) const;

  const fsdp::ShardLayout* layout_;
  std::vector<kernels::AdamWPartials> partials_;       ///< by held granule
  std::vector<ExactSum> staleness_, weight_, update_;  ///< by parameter
  bool has_update_ = false;
};

}  // namespace ballast::train
