#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "comm/transfer.hpp"
#include "fsdp/accumulators.hpp"
#include "fsdp/fetch_plan.hpp"
#include "fsdp/gradient_exchange.hpp"
#include "fsdp/host_sums.hpp"
#include "fsdp/policy.hpp"
#include "fsdp/region_rooms.hpp"
#include "fsdp/shard_layout.hpp"
#include "tensor/arena.hpp"

namespace ballast::fsdp {

/// Gradients over several hosts: what the ranks of a host have computed lies in rooms that all of
/// them read. For each part that a rank of another host owns, one rank here adds up what may be
/// added before it travels (HostSums) and sends it; the owner adds what comes in, and what lies in
/// its own host's rooms, in the order of LeafGroups.
///
/// A reduction goes on while the next gradients are computed: kInFlight of them at most.
class HostExchange final : public GradientExchange {
 public:
  /// Needs rooms of every rank in the region, and memory of the rank for what it sends and
  /// receives. `hosts`: of all ranks of the job.
  HostExchange(const ShardLayout& layout, const Policy& policy, const Neighborhoods& hosts,
               const Accumulators& accumulators, Needs& needs);
  void connect(Groups& groups, HostRegion* region) override;

  std::span<float> room(model::UnitId unit) override;
  void reduce(model::UnitId unit, const Wave& wave) override;
  void advance() override;
  void finish() override;
  [[nodiscard]] std::uint64_t reduced_bytes() const override { return reduced_bytes_; }

 private:
  static constexpr std::size_t kInFlight = 2;

  /// A reduction under way.
  struct Job {
    Reduction reduction;
    std::size_t room;
    std::uint32_t number;
    bool has_started = false;  ///< its messages are posted
  };
  /// Messages of every kInFlight-th reduction, and what they carry.
  struct Lane {
    std::optional<comm::Transfer> transfer;  ///< once connected
    Arena::Slot<float> outgoing;
    Arena::Slot<float> incoming;
  };

  [[nodiscard]] Lane& lane_of(const Job& job) { return lanes_[job.number % kInFlight]; }
  [[nodiscard]] comm::Transfer& transfer_of(const Job& job) { return *lane_of(job).transfer; }
  [[nodiscard]] comm::Place place_of(const Job& job) const;
  [[nodiscard]] comm::RankRange writers_of(const Job& job) const;
  void start(Job& job);
  void post_receives(const Job& job);
  void post_sends(const Job& job);
  [[nodiscard]] std::span<const std::byte> sum_for(const Job& job, const HostSums& sums,
                                                   LeafRange leaves, GranuleRange part,
                                                   std::span<float> room);
  void complete_front();
  void complete_through(std::uint32_t number);
  void fold(const Job& job);
  void gather_sums(const Job& job);

  const ShardLayout* layout_;
  const Accumulators* accumulators_;
  Neighborhoods hosts_;
  comm::RankRange here_;
  std::size_t leaves_;  ///< of a step, at most
  FetchPlan plan_;      ///< the way of the weights, which sums go in the other direction
  RegionRooms rooms_;
  Signal filled_;  ///< reductions whose gradient a rank has left in its room
  HostRegion* region_ = nullptr;
  comm::Communicator* group_ = nullptr;
  const Arena* arena_;
  std::array<Lane, kInFlight> lanes_;
  std::vector<Job> under_way_;  ///< in order
  std::uint32_t count_ = 0;
  std::vector<LeafSum> sums_;  ///< of one fold, or of one sum to form
  std::uint64_t reduced_bytes_ = 0;
};

}  // namespace ballast::fsdp
