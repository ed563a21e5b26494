#include "comm/board.hpp"

#include <climits>
#include <ctime>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/error.hpp"

namespace ballast::comm {

namespace {

/// futex(2) on a word that processes share; std::atomic waits only for threads of its own process.
void futex(std::uint32_t& word, int operation, std::uint32_t value, const timespec* longest) {
  static_cast<void>(::syscall(SYS_futex, &word, operation, value, longest, nullptr, 0));
}

}  // namespace

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

void Board::sleep(std::size_t kind, std::size_t rank, std::uint32_t value,
                  std::chrono::nanoseconds longest) const {
  constexpr long kNanoseconds = 1'000'000'000;
  const timespec time{longest.count() / kNanoseconds, longest.count() % kNanoseconds};
  const Counter waiting = sleepers(kind, rank);
  waiting.fetch_add(1);
  const std::uint32_t now = counter(kind, rank).load();
  if (is_behind(now, value)) futex(word(kind, rank, 0), FUTEX_WAIT, now, &time);
  waiting.fetch_sub(1);
}

void Board::wake(std::size_t kind) {
  futex(word(kind, own_rank_, 0), FUTEX_WAKE, INT_MAX, nullptr);
}

}  // namespace ballast::comm
