#include "comm/board.hpp"

#include "base/error.hpp"

namespace ballast::comm {

Board::Board(std::span<std::byte> memory, std::size_t kinds, std::size_t ranks,
             std::size_t own_rank)
    : memory_{memory}, ranks_{ranks}, own_rank_{own_rank} {
  if (memory.size() < bytes(kinds, ranks)) {
    throw internal_error("a board of {} kinds for {} ranks needs {} bytes, not {}", kinds, ranks,
                         bytes(kinds, ranks), memory.size());
  }
  if (reinterpret_cast<std::uintptr_t>(memory.data()) % kStride != 0) {
    throw internal_error("a board must begin at a multiple of {} bytes", kStride);
  }
  if (own_rank >= ranks) {
    throw internal_error("a board for {} ranks has no rank {}", ranks, own_rank);
  }
}

}  // namespace ballast::comm
