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

  /// Where the update of `unit` is to leave what it tells of each granule that this rank holds.
  [[nodiscard]] std::span<kernels::AdamWPartials> room_for(model::UnitId unit);

  /// After an update, the job's: exact sums of what granules tell, each from the rank that owns it.
  /// The same on every rank and at any number of ranks. Collective.
  [[nodiscard]] monitor::UpdateSignals gather(comm::Communicator& world);
  /// Of a step whose update was skipped: every tensor, without a value.
  [[nodiscard]] monitor::UpdateSignals without_update() const;

 private:
  void add_owned();

  const fsdp::ShardLayout* layout_;
  std::vector<kernels::AdamWPartials> partials_;       ///< by held granule that trains
  std::vector<ExactSum> staleness_, weight_, update_;  ///< by row of the table
  std::vector<std::size_t> trained_rows_;
};

}  // namespace ballast::train
