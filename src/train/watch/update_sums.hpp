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

/// Sums that an update of the weights leaves for each granule, and what they say of each tensor
/// over all ranks.
class UpdateSums {
 public:
  /// `layout` must outlive this.
  explicit UpdateSums(const fsdp::ShardLayout& layout);

  /// Its bytes on a rank, without a few sums per tensor.
  [[nodiscard]] static std::uint64_t bytes(const fsdp::ShardLayout& layout);

  /// Where the update of `unit` writes its sums, one for each granule that this rank holds.
  [[nodiscard]] std::span<kernels::AdamWPartials> room_for(model::UnitId unit);

  /// The signals of an update of the whole job: exact sums over granules, each added by the rank
  /// that owns it. The same on every rank and at any number of ranks. Collective.
  [[nodiscard]] monitor::UpdateSignals gather(comm::Communicator& world);
  /// For a step whose update was skipped: every tensor, without values.
  [[nodiscard]] monitor::UpdateSignals without_update() const;

 private:
  void add_owned();

  const fsdp::ShardLayout* layout_;
  std::vector<kernels::AdamWPartials> partials_;       ///< by held, trained granule
  std::vector<ExactSum> staleness_, weight_, update_;  ///< by row of the table
  std::vector<std::size_t> trained_rows_;
};

}  // namespace ballast::train
