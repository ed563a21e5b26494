// Hangs on purpose, in the way its argument names: three ranks, of which rank 2 goes astray.
#include <array>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <unistd.h>
#include <vector>

#include "comm/await.hpp"
#include "comm/board.hpp"
#include "comm/runtime.hpp"
#include "comm/shared_region.hpp"
#include "comm/transfer.hpp"

namespace {

using ballast::comm::Communicator;

void all_gather(Communicator& world, std::string_view unit) {
  const std::array<std::size_t, 3> counts{8, 8, 8};
  const std::array<std::size_t, 3> offsets{0, 8, 16};
  std::array<std::byte, 24> full{};
  const std::span own{full.data() + 8 * world.rank(), 8};
  world.all_gather(own, full, counts, offsets, {"all_gather", unit});
}

[[noreturn]] void stay_away() {
  while (true) ::pause();
}

/// Rank 2 has already gone on to the same collective of the next step.
void skipped(Communicator& world) {
  if (world.rank() != 2) all_gather(world, "unit block.3");
  world.set_step(18);
  all_gather(world, "unit block.3");
}

/// Rank 2 is in step, but takes another unit of the same size.
void other_unit(Communicator& world) {
  all_gather(world, world.rank() == 2 ? "unit block.4" : "unit block.3");
}

/// Rank 2 is stopped by a signal, as by a debugger or a failing machine.
void frozen(Communicator& world) {
  if (world.rank() == 2) std::raise(SIGSTOP);
  std::ignore = world.sum(1, {"sum", "gradient norm"});
}

/// Rank 2 takes part in the first round of two through shared memory.
void await(Communicator& world) {
  const auto ranks = static_cast<std::size_t>(world.size());
  const ballast::comm::SharedRegion region{
      world, world.is_root() ? ballast::comm::Board::bytes(1, ranks) : 0};
  ballast::comm::Board board{region.part(0), 1, ranks, static_cast<std::size_t>(world.rank())};
  for (std::uint32_t round = 1; round <= 2; ++round) {
    if (world.rank() == 2 && round == 2) stay_away();
    board.post(0, round);
    ballast::comm::await(world, board, 0, {0, ranks}, round, {"reduction", "unit block.3"});
  }
}

/// Rank 2 starts the first of two transfers that go on beside other work.
void transfer(Communicator& world) {
  const auto ranks = static_cast<std::size_t>(world.size());
  const auto own = static_cast<std::size_t>(world.rank());
  std::array<std::byte, 24> bytes{};
  const auto start = [&](ballast::comm::Transfer& transfer, std::string_view unit) {
    transfer.start({"gather", unit});
    for (std::size_t peer = 0; peer < ranks; ++peer) {
      if (peer == own) continue;
      transfer.send(std::span{bytes}.subspan(8 * own, 8), peer);
      transfer.receive(std::span{bytes}.subspan(8 * peer, 8), peer);
    }
  };
  ballast::comm::Transfer first{world};
  ballast::comm::Transfer second{world};
  start(first, "unit block.3");
  if (world.rank() == 2) {
    first.finish();
    stay_away();
  }
  start(second, "unit block.4");
  first.finish();
  second.finish();
}

void split(Communicator& world) {
  if (world.rank() == 2) stay_away();
  std::ignore = world.split(0);
}

/// A part of the job names ranks as the whole job does.
void part(Communicator& world) {
  Communicator even_or_odd = world.split(world.rank() % 2);
  if (world.rank() != 0) stay_away();
  even_or_odd.barrier({"barrier"});
}

/// Rank 2 never takes what rank 0 sends, more than fits on the way.
void unwilling(Communicator& world) {
  if (world.rank() == 2) stay_away();
  std::vector<std::byte> table(std::size_t{8} << 20);
  world.broadcast(table, 0, {"broadcast", "kernel table"});
  stay_away();
}

void at_end(Communicator& world) {
  world.set_step(0);
  if (world.rank() == 2) stay_away();
}

/// Rank 2 fails alone, and the error leaves the scope of the runtime while the others wait.
void throws(Communicator& world) {
  world.set_timeout_s(600);
  if (world.rank() == 2) throw ballast::data_error("rank 2 cannot read");
  world.barrier({"barrier"});
}

void aborts(Communicator& world) {
  world.set_timeout_s(600);
  if (world.rank() == 2) {
    fmt::print(stderr, "rank 2 ends the job\n");
    ballast::comm::Runtime::abort(ballast::ExitCode::run_again);
  }
  world.barrier({"barrier"});
}

}  // namespace

int main(int argc, char** argv) {
  const std::map<std::string, std::function<void(Communicator&)>> ways{
      {"skipped", skipped}, {"other_unit", other_unit}, {"frozen", frozen},
      {"split", split},     {"transfer", transfer},     {"await", await},
      {"part", part},       {"unwilling", unwilling},   {"at_end", at_end},
      {"throws", throws},   {"aborts", aborts}};
  try {
    ballast::comm::Runtime runtime{argc, argv};
    Communicator& world = runtime.world();
    world.set_step(17);
    // The rank at fault says nothing: it would race with the others for the last word.
    world.set_timeout_s(world.rank() == 2 ? 600 : 2);
    ways.at(argv[1])(world);
  } catch (const ballast::Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return static_cast<int>(error.code());
  }
  return 0;
}
