#pragma once

#include <functional>
#include <vector>

#include "comm/communicator.hpp"
#include "kernels/gemm/gemm_factory.hpp"
#include "kernels/gemm/gemm_table.hpp"
#include "train/settings/config.hpp"

namespace ballast::train {

/// One product's race.
struct Race {
  std::string_view name;
  kernels::GemmCall call;
  struct Entry {
    kernels::GemmLibrary library;
    double flop_per_s;  ///< of a rank, the median of the rounds, the mean of the ranks
  };
  std::vector<Entry> entries;
  kernels::GemmLibrary winner;
};

/// Races the libraries over every product of a step of `config` with a dataset of `vocabulary`: all
/// ranks at work at once, rounds interleaved, operands from memory. A library replaces the
/// shipped choice only where it is clearly faster. Collective; the same table on every rank.
/// `show` is called as each race ends, on every rank.
[[nodiscard]] kernels::GemmTable tune(comm::Communicator& world, const Config& config,
                                      std::size_t vocabulary, std::size_t rounds,
                                      const std::function<void(const Race&)>& show);

}  // namespace ballast::train
