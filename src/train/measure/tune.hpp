#pragma once

#include <functional>
#include <vector>

#include "comm/communicator.hpp"
#include "kernels/gemm/gemm_factory.hpp"
#include "kernels/gemm/gemm_table.hpp"
#include "train/settings/config.hpp"

namespace ballast::train {

/// The rates of the libraries for one product, and the one to use.
struct Race {
  std::string_view name;
  kernels::GemmCall call;
  struct Entry {
    kernels::GemmLibrary library;
    double flop_per_s;  ///< of a rank: median of the rounds, mean of the ranks
  };
  std::vector<Entry> entries;
  kernels::GemmLibrary winner;
};

/// Times the libraries on every product of a step of `config` with a dataset of `vocabulary`: all
/// ranks work at once, rounds are interleaved, and operands are in no cache. A library replaces the
/// shipped choice only where it is clearly faster. Collective; the same table on every rank. `show`
/// is called as each race ends, on every rank.
[[nodiscard]] kernels::GemmTable tune(comm::Communicator& world, const Config& config,
                                      std::size_t vocabulary, std::size_t rounds,
                                      const std::function<void(const Race&)>& show);

}  // namespace ballast::train
