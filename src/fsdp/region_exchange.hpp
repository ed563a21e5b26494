#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "fsdp/accumulators.hpp"
#include "fsdp/gradient_exchange.hpp"
#include "fsdp/host_region.hpp"
#include "fsdp/policy.hpp"
#include "fsdp/region_rooms.hpp"
#include "fsdp/shard_layout.hpp"

namespace ballast::fsdp {

/// Gradients stay where they were written, in rooms that all ranks of the host can read, and the
/// owner of each part pulls it from all of them in one pass: when the next gradient is complete,
/// which gives slower ranks that long to arrive.
class RegionExchange final : public GradientExchange {
 public:
  /// How many more units are complete when a reduction is pulled; fewer for the last ones.
  static constexpr std::size_t kUnitsLate = 1;

  /// Needs rooms of every rank in the region.
  RegionExchange(const ShardLayout& layout, const Policy& policy, const Accumulators& accumulators,
                 Needs& needs);
  void connect(Groups&, HostRegion* region) override;

  std::span<float> room(model::UnitId unit) override;
  void reduce(model::UnitId unit, const Wave& wave) override;
  void finish() override;
  [[nodiscard]] std::uint64_t reduced_bytes() const override { return reduced_bytes_; }

 private:
  struct Pending {
    Reduction reduction;
    std::size_t room;
    std::uint32_t number;
  };

  void pull(const Pending& pending);

  const ShardLayout* layout_;
  const Accumulators* accumulators_;
  RegionRooms rooms_;
  Signal filled_;  ///< reductions whose gradient a rank has left in its room
  HostRegion* region_ = nullptr;
  std::uint32_t count_ = 0;
  std::optional<Pending> pending_;
  std::vector<LeafSum> slices_;
  std::uint64_t reduced_bytes_ = 0;
};

}  // namespace ballast::fsdp
