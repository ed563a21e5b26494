#include "fsdp/host_region.hpp"

#include "base/narrow.hpp"
#include "comm/await.hpp"
#include "tensor/arena.hpp"

namespace ballast::fsdp {

namespace {

constexpr std::size_t kSignals = 3;

std::size_t board_bytes(const comm::Communicator& node) {
  return comm::Board::bytes(kSignals, narrow<std::size_t>(node.size()));
}

/// The first rank of a group has its weights behind its rooms; the first of the host has the board
/// behind that.
std::size_t own_bytes(const comm::Communicator& node, const RegionSizes& sizes) {
  const auto rank = narrow<std::size_t>(node.rank());
  const std::size_t weights = rank == sizes.first_of_group ? sizes.weights : 0;
  return sizes.rooms + weights + (rank == 0 ? board_bytes(node) : 0);
}

std::span<std::byte> board_memory(const comm::Communicator& node,
                                  const comm::SharedRegion& region) {
  return region.part(0).last(board_bytes(node));
}

}  // namespace

HostRegion::HostRegion(comm::Communicator& node, const RegionSizes& sizes)
    : node_{&node},
      sizes_{sizes},
      region_{node, own_bytes(node, sizes)},
      board_{board_memory(node, region_), kSignals, narrow<std::size_t>(node.size()),
             narrow<std::size_t>(node.rank())} {}

std::span<std::byte> HostRegion::rooms(std::size_t rank) const {
  return region_.part(narrow<int>(rank)).first(sizes_.rooms);
}

std::span<std::byte> HostRegion::weights() const {
  return region_.part(narrow<int>(sizes_.first_of_group)).subspan(sizes_.rooms, sizes_.weights);
}

void HostRegion::await(Signal signal, std::size_t first, std::size_t count, std::uint32_t value,
                       comm::Place place) {
  comm::await(*node_, board_, static_cast<std::size_t>(signal), {first, count}, value, place);
}

}  // namespace ballast::fsdp
