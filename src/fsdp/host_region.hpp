#pragma once

#include <cstddef>
#include <span>

#include "comm/board.hpp"
#include "comm/communicator.hpp"
#include "comm/shared_region.hpp"

namespace ballast::fsdp {

/// What the counters of the host's board count.
enum class Signal : std::size_t {
  weights,  ///< units whose weights a rank has published
  filled,   ///< reductions whose gradient a rank has left in its room
  drained,  ///< reductions that a rank has folded
};

/// Sizes of a rank's part of its host's region. Rooms lie first, at the same place in every part.
struct RegionSizes {
  std::size_t rooms = 0;  ///< bytes of gradient rooms, of every rank
  std::size_t weights =
      0;  ///< bytes of one copy of the weights, in the part of a group's first rank
  std::size_t first_of_group = 0;  ///< the rank on this host that has this rank's copy
};

/// The memory that the ranks of a host share, and the board by which they take turns in it.
class HostRegion {
 public:
  /// Collective over the ranks of the host.
  HostRegion(comm::Communicator& node, const RegionSizes& sizes);

  [[nodiscard]] comm::Communicator& node() const { return *node_; }
  [[nodiscard]] comm::Board& board() { return board_; }
  [[nodiscard]] std::span<std::byte> own_rooms() const { return rooms(own_rank()); }
  /// The gradient rooms of a rank of this host.
  [[nodiscard]] std::span<std::byte> rooms(std::size_t rank) const;
  /// The one copy of the weights that this rank's group shares.
  [[nodiscard]] std::span<std::byte> weights() const;
  [[nodiscard]] std::size_t first_of_group() const { return sizes_.first_of_group; }

  void post(Signal signal, std::uint32_t value) {
    board_.post(static_cast<std::size_t>(signal), value);
  }
  /// Waits until ranks [first, first + count) of the host have posted `value`.
  void await(Signal signal, std::size_t first, std::size_t count, std::uint32_t value,
             comm::Place place);

 private:
  [[nodiscard]] std::size_t own_rank() const { return static_cast<std::size_t>(node_->rank()); }

  comm::Communicator* node_;
  RegionSizes sizes_;
  comm::SharedRegion region_;
  comm::Board board_;
};

}  // namespace ballast::fsdp
