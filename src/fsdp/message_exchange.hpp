#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "comm/communicator.hpp"
#include "fsdp/accumulators.hpp"
#include "fsdp/gradient_exchange.hpp"
#include "fsdp/policy.hpp"
#include "fsdp/shard_layout.hpp"
#include "tensor/arena.hpp"

namespace ballast::fsdp {

/// Gradients sent to their owners by messages, in slabs of bounded size. On one rank there is
/// nothing to send, only to add.
class MessageExchange final : public GradientExchange {
 public:
  /// Needs memory of the rank: one room for all units in turn, and one more
  /// for a unit of embedding and head, whose gradient begins before the others and is complete
  /// after them; or, with several micro-batches a leaf, one room for each unit; and a slab from
  /// every rank.
  MessageExchange(const ShardLayout& layout, const Policy& policy, const Accumulators& accumulators,
                  Needs& needs);
  void connect(Groups& groups, HostRegion*) override { world_ = &groups.world(); }

  std::span<float> room(model::UnitId unit) override;
  void reduce(model::UnitId unit, const Wave& wave) override;
  void finish() override {}
  [[nodiscard]] std::uint64_t reduced_bytes() const override { return reduced_bytes_; }

 private:
  [[nodiscard]] GranuleRange slab_range(model::UnitId unit, std::size_t rank,
                                        std::size_t slab) const;
  void exchange(model::UnitId unit, const Wave& wave, std::size_t slab,
                std::span<const float> gradient);
  void fold(const Reduction& reduction, std::size_t slab, std::span<const float> gradient);

  const ShardLayout* layout_;
  const Accumulators* accumulators_;
  const Arena* arena_;
  comm::Communicator* world_ = nullptr;
  std::vector<Arena::Slot<float>> rooms_;  ///< by unit; they share one where they can
  std::size_t slab_numel_;                 ///< from one rank
  Arena::Slot<float> received_;            ///< one slab from every rank
  std::vector<std::size_t> send_counts_, send_offsets_, receive_counts_, receive_offsets_;
  std::vector<LeafSum> slices_;
  std::uint64_t reduced_bytes_ = 0;
};

}  // namespace ballast::fsdp
