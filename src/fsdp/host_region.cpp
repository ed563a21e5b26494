#include "fsdp/host_region.hpp"

#include "base/checked_cast.hpp"
#include "comm/await.hpp"

namespace ballast::fsdp {

namespace {

std::size_t board_bytes(const comm::Communicator& node, const Needs& needs) {
  return comm::Board::bytes(needs.signals(), checked_cast<std::size_t>(node.size()));
}

/// The parts that every rank has come first. Behind them the first rank of a group has what the
/// group shares, and behind that the first rank of the host has the board.
std::size_t own_bytes(const comm::Communicator& node, const Needs& needs,
                      std::size_t first_of_group) {
  const auto rank = checked_cast<std::size_t>(node.rank());
  std::size_t bytes = planned_bytes(needs, Holders::every_rank);
  if (rank == first_of_group) bytes += planned_bytes(needs, Holders::first_of_group);
  return bytes + (rank == 0 ? board_bytes(node, needs) : 0);
}

std::vector<std::size_t> place_parts(const Needs& needs) {
  std::vector<std::size_t> offsets(needs.region_parts().size());
  std::size_t end = 0;
  for (const Holders holders : {Holders::every_rank, Holders::first_of_group}) {
    for (const RegionPart& part : needs.region_parts()) {
      if (part.holders != holders) continue;
      offsets[part.index] = end;
      end += part.arena.planned_bytes();
    }
  }
  return offsets;
}

}  // namespace

HostRegion::HostRegion(comm::Communicator& node, Needs& needs, std::size_t first_of_group)
    : node_{&node},
      first_of_group_{first_of_group},
      offsets_{place_parts(needs)},
      region_{node, own_bytes(node, needs, first_of_group)},
      board_{region_.part(0).last(board_bytes(node, needs)), needs.signals(),
             checked_cast<std::size_t>(node.size()), checked_cast<std::size_t>(node.rank())} {
  for (RegionPart& part : needs.region_parts()) {
    const bool is_own = part.holders == Holders::every_rank;
    part.arena.commit(
        part_of(is_own ? checked_cast<std::size_t>(node.rank()) : first_of_group, part));
  }
}

std::span<std::byte> HostRegion::part_of(std::size_t rank, const RegionPart& part) const {
  return region_.part(checked_cast<int>(rank))
      .subspan(offsets_[part.index], part.arena.planned_bytes());
}

bool HostRegion::reached(Signal signal, comm::RankRange ranks, std::uint32_t value) const {
  for (std::size_t rank = ranks.first; rank < ranks.end(); ++rank) {
    if (!board_.reached(static_cast<std::size_t>(signal), rank, value)) return false;
  }
  return true;
}

void HostRegion::await(Signal signal, comm::RankRange ranks, std::uint32_t value,
                       comm::Place place) {
  comm::await(*node_, board_, static_cast<std::size_t>(signal), ranks, value, place);
}

}  // namespace ballast::fsdp
