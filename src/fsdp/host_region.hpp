#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "comm/board.hpp"
#include "comm/communicator.hpp"
#include "comm/rank_range.hpp"
#include "comm/shared_region.hpp"
#include "fsdp/needs.hpp"

namespace ballast::fsdp {

/// The memory that the ranks of a host share, and the board of counters by which they take turns in
/// it: the parts and counters of `needs`. Parts that every rank has come first, at the same offset
/// in the memory of each.
class HostRegion {
 public:
  /// Gives the parts of `needs` their memory. first_of_group: the rank on this host whose memory
  /// holds what this rank's group shares. Collective over the ranks of the host.
  HostRegion(comm::Communicator& node, Needs& needs, std::size_t first_of_group);

  [[nodiscard]] comm::Communicator& node() const { return *node_; }
  [[nodiscard]] comm::Board& board() { return board_; }
  /// The memory of a part that every rank has, for a rank of this host.
  [[nodiscard]] std::span<std::byte> part_of(std::size_t rank, const RegionPart& part) const;
  [[nodiscard]] std::size_t first_of_group() const { return first_of_group_; }

  void post(Signal signal, std::uint32_t value) {
    board_.post(static_cast<std::size_t>(signal), value);
  }
  /// Have all of `ranks`, counted on the host, posted `value`?
  [[nodiscard]] bool reached(Signal signal, comm::RankRange ranks, std::uint32_t value) const;
  /// Waits until they have.
  void await(Signal signal, comm::RankRange ranks, std::uint32_t value, comm::Place place);

 private:
  comm::Communicator* node_;
  std::size_t first_of_group_;
  std::vector<std::size_t> offsets_;  ///< of each part, in the memory of a rank that has it
  comm::SharedRegion region_;
  comm::Board board_;
};

}  // namespace ballast::fsdp
