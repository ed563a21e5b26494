#pragma once

#include <cstdint>
#include <optional>

#include "comm/rank_range.hpp"
#include "fsdp/host_region.hpp"
#include "fsdp/needs.hpp"

namespace ballast::fsdp {

/// How the ranks that share rooms for gathered units take turns in them, fill by fill. A rank that
/// shares them with nobody never waits.
class SharedRooms {
 public:
  /// Of one rank.
  SharedRooms() = default;
  /// Of some of a host's ranks: needs counters.
  explicit SharedRooms(Needs& needs) : opened_{needs.signal()}, arrived_{needs.signal()} {}

  /// `sharers`: these ranks, counted on the host. A null region: there is only one.
  void connect(HostRegion* region, comm::RankRange sharers) {
    region_ = opened_ ? region : nullptr;
    sharers_ = sharers;
  }

  /// This rank no longer reads what a room had before fill `number`.
  void post_opened(std::uint32_t number) { post(opened_, number); }
  /// May the fill be written, since no rank reads what was there before?
  [[nodiscard]] bool is_opened(std::uint32_t number) const {
    return region_ == nullptr || region_->reached(*opened_, sharers_, number);
  }
  void await_opened(std::uint32_t number, comm::Place place) { await(opened_, number, place); }

  /// This rank has written its share of all fills up to `number`.
  void post_arrived(std::uint32_t number) { post(arrived_, number); }
  void await_arrived(std::uint32_t number, comm::Place place) { await(arrived_, number, place); }

 private:
  void post(const std::optional<Signal>& signal, std::uint32_t number) {
    if (region_ != nullptr) region_->post(*signal, number);
  }
  void await(const std::optional<Signal>& signal, std::uint32_t number, comm::Place place) {
    if (region_ != nullptr) region_->await(*signal, sharers_, number, place);
  }

  std::optional<Signal> opened_;
  std::optional<Signal> arrived_;
  HostRegion* region_ = nullptr;
  comm::RankRange sharers_;
};

}  // namespace ballast::fsdp
