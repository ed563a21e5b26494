#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "fsdp/accumulators.hpp"
#include "fsdp/gradient_exchange.hpp"
#include "fsdp/host_region.hpp"
#include "fsdp/shard_layout.hpp"
#include "tensor/arena.hpp"

namespace ballast::fsdp {

/// Gradients stay where they were written, in rooms that all ranks of the host can read, and the
/// owner of each part pulls it from all of them in one pass.
///
/// Each rank has two rooms for all units in turn, so that it writes one gradient while others still
/// read the last: a reduction is pulled when the next one is complete, which gives slower ranks
/// that long to arrive. The first room is large enough for embedding and head too. A unit that
/// these two share is begun before the blocks and complete after them, so it has a third. With
/// several micro-batches a leaf every unit has its own room, where they add up.
class RegionExchange final : public GradientExchange {
 public:
  /// How many more units are complete when a reduction is pulled; fewer for the last ones.
  static constexpr std::size_t kUnitsLate = 1;

  /// Needs rooms of every rank in the region.
  RegionExchange(const ShardLayout& layout, std::size_t leaf_micro_batches,
                 const Accumulators& accumulators, Needs& needs);
  void connect(Groups&, HostRegion* region) override { region_ = region; }

  std::span<float> room(model::UnitId unit) override;
  void reduce(model::UnitId unit, const Wave& wave) override;
  void finish() override;
  [[nodiscard]] std::uint64_t reduced_bytes() const override { return reduced_bytes_; }

 private:
  struct Room {
    Arena::Slot<float> slot;
    std::uint32_t last_use = 0;  ///< the reduction that was last left in it
  };
  struct Reduction {
    model::UnitId unit;
    Wave wave;
    std::size_t room;
    std::uint32_t number;
  };

  [[nodiscard]] std::size_t room_of(model::UnitId unit) const;
  void pull(const Reduction& reduction);

  const ShardLayout* layout_;
  const Accumulators* accumulators_;
  const RegionPart* part_;  ///< where every rank has its rooms
  Signal filled_;           ///< reductions whose gradient a rank has left in its room
  Signal drained_;          ///< reductions that a rank has folded
  HostRegion* region_ = nullptr;
  bool rooms_take_turns_;
  std::size_t first_turn_ = 0;  ///< the first room that blocks take
  std::vector<Room> rooms_;
  std::size_t turn_ = 0;
  std::uint32_t count_ = 0;
  std::optional<Reduction> pending_;
  std::vector<const float*> slices_;
  std::uint64_t reduced_bytes_ = 0;
};

}  // namespace ballast::fsdp
