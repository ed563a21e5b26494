// Memory shared by the ranks of a host: SharedRegion (memfd) beside MPI_Win_allocate_shared.
//
//   mpirun -n 2 bench_region [repetitions]
//
// Medians over the repetitions, in which the two take turns; a time is the slowest rank's.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fmt/format.h>
#include <numeric>
#include <optional>
#include <span>

#include "comm/mpi_check.hpp"
#include "comm/runtime.hpp"
#include "comm/shared_region.hpp"

#include "collectives/measure.hpp"

namespace {

using ballast::bench::median;
using ballast::bench::slowest_s;
using ballast::comm::mpi_check;

/// What one kind of shared memory took.
struct Times {
  std::vector<double> ready;       ///< from nothing to memory that this rank has written
  std::vector<double> first_read;  ///< of the next rank's part
  std::vector<double> read;        ///< once more
};

/// Reads `bytes`, which must all be `value`.
double read_s(std::span<const std::byte> bytes, std::uint64_t value) {
  const std::span words{reinterpret_cast<const std::uint64_t*>(bytes.data()), bytes.size() / 8};
  std::uint64_t sum = 0;
  const double seconds =
      slowest_s([&] { sum = std::accumulate(words.begin(), words.end(), std::uint64_t{0}); });
  if (sum != words.size() * value * 0x0101'0101'0101'0101u) {
    throw ballast::internal_error("the memory is not what its owner wrote");
  }
  return seconds;
}

/// `open` provides the memory and returns this rank's part and the next rank's.
struct Parts {
  std::span<std::byte> own;
  std::span<std::byte> next;
};
template <class Open>
void measure(Times& times, Open&& open) {
  Parts parts;
  times.ready.push_back(slowest_s([&] {
    parts = open();
    std::memset(parts.own.data(), 3, parts.own.size());
  }));
  times.first_read.push_back(read_s(parts.next, 3));
  for (int value = 4; value < 7; ++value) {
    std::memset(parts.own.data(), value, parts.own.size());
    times.read.push_back(read_s(parts.next, static_cast<std::uint64_t>(value)));
  }
}

void with_region(ballast::comm::Communicator& world, std::size_t bytes, Times& times) {
  std::optional<ballast::comm::SharedRegion> region;
  measure(times, [&] {
    region.emplace(world, bytes);
    return Parts{region->own(), region->part((world.rank() + 1) % world.size())};
  });
  world.barrier({"end of the region"});
}

void with_window(ballast::comm::Communicator& world, std::size_t bytes, Times& times) {
  MPI_Win window = MPI_WIN_NULL;
  measure(times, [&] {
    std::byte* own = nullptr;
    std::byte* next = nullptr;
    MPI_Aint next_bytes = 0;
    int unit = 1;
    mpi_check(MPI_Win_allocate_shared(static_cast<MPI_Aint>(bytes), 1, MPI_INFO_NULL,
                                      MPI_COMM_WORLD, static_cast<void*>(&own), &window),
              "MPI_Win_allocate_shared");
    mpi_check(MPI_Win_shared_query(window, (world.rank() + 1) % world.size(), &next_bytes, &unit,
                                   static_cast<void*>(&next)),
              "MPI_Win_shared_query");
    return Parts{{own, bytes}, {next, bytes}};
  });
  MPI_Win_free(&window);
}

void print(const char* kind, std::size_t mib, const Times& times) {
  const double gigabytes = static_cast<double>(mib << 20) * 1e-9;
  fmt::print("{:>5} MiB  {:<24} {:>9.2f} {:>10.2f} {:>12.2f} {:>10.2f}\n", mib, kind,
             1e3 * median(times.ready), gigabytes / median(times.ready),
             gigabytes / median(times.first_read), gigabytes / median(times.read));
}

}  // namespace

int main(int argc, char** argv) {
  ballast::comm::Runtime runtime{argc, argv};
  ballast::comm::Communicator& world = runtime.world();
  const int repetitions = argc > 1 ? std::atoi(argv[1]) : 15;
  if (world.is_root()) {
    fmt::print("{} ranks, medians of {} repetitions, bytes of one rank's part\n", world.size(),
               repetitions);
    fmt::print("{:>9}  {:<24} {:>9} {:>10} {:>12} {:>10}\n", "part", "memory", "ready ms",
               "ready GB/s", "1st read GB/s", "read GB/s");
  }
  for (const std::size_t mib : {1u, 16u, 64u}) {
    Times region;
    Times window;
    for (int i = 0; i < repetitions; ++i) {
      with_region(world, mib << 20, region);
      with_window(world, mib << 20, window);
    }
    if (!world.is_root()) continue;
    print("SharedRegion", mib, region);
    print("MPI_Win_allocate_shared", mib, window);
  }
  return 0;
}
