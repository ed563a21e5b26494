// Reduction and gather of a unit through shared memory, beside MPI's collectives and our messages.
//
//   mpirun -n 4 bench_collectives [repetitions]
//
// reduce: every rank holds a gradient of the whole unit and ends with the sum of its slice.
// gather: every rank holds its slice and reads one word of each cache line of the whole unit, which
// it finds in place or in a copy.
// The ways take turns; medians over the repetitions; a time is the slowest rank's. Before each, the
// ranks write their input anew, as a training step does.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fmt/format.h>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "comm/await.hpp"
#include "comm/board.hpp"
#include "comm/runtime.hpp"
#include "comm/shared_region.hpp"
#include "kernels/elementwise.hpp"

#include "collectives/measure.hpp"

namespace {

using namespace ballast;

enum Kind : std::size_t { kWritten, kRead, kKinds };

// Of the sum, so that it stays in the nearest cache while all ranks' slices stream past.
constexpr std::size_t kBlock = 4096;

/// One unit of `words` floats on all ranks. Slices are equal.
class Bench {
 public:
  Bench(comm::Communicator& world, std::size_t words_asked)
      : world_{world},
        ranks_{static_cast<std::size_t>(world.size())},
        rank_{static_cast<std::size_t>(world.rank())},
        slice_{words_asked / ranks_},
        words_{slice_ * ranks_},
        region_{world, words_ * sizeof(float)},
        board_region_{world, rank_ == 0 ? comm::Board::bytes(kKinds, ranks_) : 0},
        board_{board_region_.part(0), kKinds, ranks_, rank_},
        own_(words_),
        copy_(words_),
        sum_(slice_) {
    for (std::size_t rank = 0; rank < ranks_; ++rank) {
      counts_.push_back(slice_ * sizeof(float));
      offsets_.push_back(rank * slice_ * sizeof(float));
    }
  }

  struct Way {
    std::string name;
    std::function<void()> act;
    std::vector<double> seconds;
  };

  void reduce(int repetitions) {
    std::vector<Way> ways{{"MPI_Reduce_scatter", [&] { reduce_by_mpi(); }, {}},
                          {"messages (all_to_all)", [&] { reduce_by_messages(); }, {}},
                          {"shared region", [&] { reduce_in_region(); }, {}}};
    const auto numbers_summed = ranks_ * (ranks_ + 1) / 2;  // of all ranks, counted from 1
    const auto expected = static_cast<float>(numbers_summed);
    run(
        "reduce", ways, repetitions,
        [&] {
          std::ranges::fill(region_words(rank_), static_cast<float>(rank_ + 1));
          std::ranges::fill(own_, static_cast<float>(rank_ + 1));
          std::ranges::fill(sum_, 0.0f);
        },
        [&] { return std::ranges::all_of(sum_, [&](float x) { return x == expected; }); });
  }

  void gather(int repetitions) {
    std::vector<Way> ways{{"MPI_Allgather", [&] { gather_by_mpi(); }, {}},
                          {"messages (all_gather)", [&] { gather_by_messages(); }, {}},
                          {"shared region, copied", [&] { copy_from_region(); }, {}},
                          {"shared region, in place", [&] { read_region(); }, {}}};
    std::uint64_t lines = 0;
    for (std::size_t rank = 0; rank < ranks_; ++rank) lines += (rank + 1) * ((slice_ + 15) / 16);
    const auto expected = static_cast<double>(lines);
    run(
        "gather", ways, repetitions,
        [&] {
          std::ranges::fill(region_words(rank_).first(slice_), static_cast<float>(rank_ + 1));
          std::ranges::fill(std::span{own_}.first(slice_), static_cast<float>(rank_ + 1));
          std::ranges::fill(copy_, 0.0f);
          lines_read_ = 0.0;
        },
        [&] { return lines_read_ == expected; });
  }

 private:
  [[nodiscard]] std::span<float> region_words(std::size_t rank) const {
    const auto part = region_.part(static_cast<int>(rank));
    return {reinterpret_cast<float*>(part.data()), words_};
  }

  template <class Prepare, class Check>
  void run(const char* what, std::vector<Way>& ways, int repetitions, Prepare&& prepare,
           Check&& check) {
    for (int i = 0; i < repetitions; ++i) {
      for (auto& way : ways) {
        prepare();
        way.seconds.push_back(bench::slowest_s(way.act));
        if (!check()) throw internal_error("{}: {} is wrong", what, way.name);
      }
    }
    if (!world_.is_root()) return;
    const double bytes = static_cast<double>(words_ * sizeof(float));
    const double mpi_s = bench::median(ways.front().seconds);
    for (const auto& way : ways) {
      const double seconds = bench::median(way.seconds);
      fmt::print("{:>6.1f} MB  {:<7} {:<26} {:>9.3f} {:>8.2f} {:>8.2f}\n", bytes * 1e-6, what,
                 way.name, 1e3 * seconds, bytes * 1e-9 / seconds, mpi_s / seconds);
    }
  }

  /// All ranks have come to this point of the round.
  void meet(Kind kind, std::uint32_t round) {
    board_.post(kind, round);
    comm::await(world_, board_, kind, {0, ranks_}, round, {"await", "bench"});
  }

  void reduce_in_region() {
    meet(kWritten, ++round_);
    for (std::size_t begin = 0; begin < slice_; begin += kBlock) {
      const std::size_t count = std::min(kBlock, slice_ - begin);
      for (std::size_t rank = 0; rank < ranks_; ++rank) {
        kernels::accumulate(region_words(rank).subspan(rank_ * slice_ + begin, count),
                            std::span{sum_}.subspan(begin, count));
      }
    }
    meet(kRead, round_);
  }

  void reduce_by_mpi() {
    const std::vector<int> counts(ranks_, static_cast<int>(slice_));
    MPI_Reduce_scatter(own_.data(), sum_.data(), counts.data(), MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
  }

  void reduce_by_messages() {
    world_.all_to_all(std::as_bytes(std::span{own_}), {counts_, offsets_},
                      std::as_writable_bytes(std::span{copy_}), {counts_, offsets_},
                      {"all_to_all", "bench"});
    for (std::size_t rank = 0; rank < ranks_; ++rank) {
      kernels::accumulate(std::span{copy_}.subspan(rank * slice_, slice_), sum_);
    }
  }

  void read_lines(std::span<const float> slice) {
    for (std::size_t i = 0; i < slice.size(); i += 16) lines_read_ += static_cast<double>(slice[i]);
  }
  void read_copy() {
    for (std::size_t rank = 0; rank < ranks_; ++rank) {
      read_lines(std::span{copy_}.subspan(rank * slice_, slice_));
    }
  }

  void read_region() {
    meet(kWritten, ++round_);
    for (std::size_t rank = 0; rank < ranks_; ++rank) {
      read_lines(region_words(rank).first(slice_));
    }
    meet(kRead, round_);
  }

  void copy_from_region() {
    meet(kWritten, ++round_);
    for (std::size_t rank = 0; rank < ranks_; ++rank) {
      std::memcpy(copy_.data() + rank * slice_, region_words(rank).data(), slice_ * sizeof(float));
    }
    meet(kRead, round_);
    read_copy();
  }

  void gather_by_mpi() {
    MPI_Allgather(own_.data(), static_cast<int>(slice_), MPI_FLOAT, copy_.data(),
                  static_cast<int>(slice_), MPI_FLOAT, MPI_COMM_WORLD);
    read_copy();
  }

  void gather_by_messages() {
    world_.all_gather(std::as_bytes(std::span{own_}.first(slice_)),
                      std::as_writable_bytes(std::span{copy_}), counts_, offsets_,
                      {"all_gather", "bench"});
    read_copy();
  }

  comm::Communicator& world_;
  std::size_t ranks_;
  std::size_t rank_;
  std::size_t slice_;
  std::size_t words_;
  comm::SharedRegion region_;
  comm::SharedRegion board_region_;
  comm::Board board_;
  std::uint32_t round_ = 0;
  std::vector<float> own_;
  std::vector<float> copy_;
  std::vector<float> sum_;
  std::vector<std::size_t> counts_;
  std::vector<std::size_t> offsets_;
  double lines_read_ = 0.0;
};

}  // namespace

int main(int argc, char** argv) {
  comm::Runtime runtime{argc, argv};
  comm::Communicator& world = runtime.world();
  const int repetitions = argc > 1 ? std::atoi(argv[1]) : 15;
  if (world.is_root()) {
    fmt::print("{} ranks, medians of {} repetitions; GB/s of the unit's bytes\n", world.size(),
               repetitions);
    fmt::print("{:>9}  {:<7} {:<26} {:>9} {:>8} {:>8}\n", "unit", "what", "way", "ms", "GB/s",
               "x MPI");
  }
  for (const std::size_t megabytes : {1u, 16u, 64u}) {
    Bench bench{world, megabytes * 1'000'000 / sizeof(float)};
    bench.reduce(repetitions);
    bench.gather(repetitions);
    world.barrier({"end of the bench"});
  }
  return 0;
}
