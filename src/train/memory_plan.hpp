#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "train/config.hpp"
#include "train/workspace.hpp"

namespace ballast::train {

/// What a process takes besides what it plans: the program, its libraries, MPI.
inline constexpr std::uint64_t kProcessBytes = std::uint64_t{64} << 20;

/// The memory that a training will take, known before any of it is allocated.
struct MemoryPlan {
  static constexpr std::array kClasses{MemoryClass::parameters,  MemoryClass::gradients,
                                       MemoryClass::optimizer,   MemoryClass::transient,
                                       MemoryClass::activations, MemoryClass::scratch};

  /// Bytes of a class, over all ranks of a host, pages that ranks share counted once.
  struct Item {
    MemoryClass memory_class;
    std::uint64_t bytes;
  };
  std::vector<Item> host_items;    ///< in the order of kClasses
  std::uint64_t host_bytes = 0;    ///< their sum
  std::uint64_t shared_bytes = 0;  ///< of these in the region that ranks share
  std::uint64_t rank_bytes = 0;    ///< the most private memory of any rank
  std::vector<Item> rank_items;    ///< what that rank has it for
  std::size_t host_ranks = 0;

  /// What to expect of the host, the processes themselves included.
  [[nodiscard]] std::uint64_t expected_host_bytes() const {
    return host_bytes + host_ranks * kProcessBytes;
  }
  /// What to expect of the largest process.
  [[nodiscard]] std::uint64_t expected_rank_bytes() const { return rank_bytes + kProcessBytes; }
};

/// The plan of the host that `rank` is on. Needs no MPI.
[[nodiscard]] MemoryPlan plan_memory(const Config& config, const fsdp::Topology& topology,
                                     std::size_t rank);

/// "parameters 112 MiB, gradients ..."
[[nodiscard]] std::string describe(const MemoryPlan& plan);

/// Settings that would lower a plan, with what each would come to: for people whose plan is too
/// large. One line each, the plan's own left out.
[[nodiscard]] std::vector<std::string> ways_to_fit(const Config& config,
                                                   const fsdp::Topology& topology, std::size_t rank,
                                                   std::uint64_t limit);

/// Refuses, before anything is allocated, a plan that this host or a process limit cannot hold: a
/// usage Error with the largest items and what would fit, the same on every rank. Collective.
void require_memory(comm::Communicator& world, const Config& config,
                    const fsdp::Topology& topology);

}  // namespace ballast::train
