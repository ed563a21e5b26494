#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "train/plan/job.hpp"
#include "train/plan/workspace.hpp"

namespace ballast::train {

/// The memory of a process that is not planned: the program and its libraries (some 30 MiB private
/// to it), MPI's buffers, and those of a matrix library, among them up to two panels of 4 MiB.
inline constexpr std::uint64_t kProcessBytes = std::uint64_t{64} << 20;

/// The memory that a job will take, known before any of it is allocated.
struct MemoryPlan {
  static constexpr std::array kClasses{MemoryClass::parameters,  MemoryClass::gradients,
                                       MemoryClass::optimizer,   MemoryClass::transient,
                                       MemoryClass::activations, MemoryClass::scratch,
                                       MemoryClass::monitor};

  /// Bytes of a class, over all ranks of a host, pages that ranks share counted once.
  struct Item {
    MemoryClass memory_class;
    std::uint64_t bytes;
  };
  std::vector<Item> host_items;    ///< in the order of kClasses
  std::uint64_t host_bytes = 0;    ///< their sum
  std::uint64_t shared_bytes = 0;  ///< of these, in the region that ranks share
  /// Bytes of gradients that reuse memory of activations; no item counts them.
  std::uint64_t gradients_in_activations = 0;
  std::uint64_t rank_bytes = 0;  ///< the most private memory of any rank
  std::vector<Item> rank_items;  ///< that memory, by class
  std::size_t host_ranks = 0;

  /// The memory of the host with the unplanned part of its processes.
  [[nodiscard]] std::uint64_t expected_host_bytes() const {
    return host_bytes + host_ranks * kProcessBytes;
  }
};

/// The plan of the host that the job's own rank is on: the model that trains, its monitor, and the
/// models beside it. Needs no MPI.
[[nodiscard]] MemoryPlan plan_memory(const Job& job);

/// The same for one model without a monitor, as in an evaluation.
[[nodiscard]] MemoryPlan plan_memory(const Blueprint& blueprint, const Ranks& ranks);

/// "parameters 112 MiB, gradients ..."
[[nodiscard]] std::string describe(const MemoryPlan& plan);

/// The plan of generation in one process: the weights in fp32, and keys and values of `context`
/// tokens.
[[nodiscard]] MemoryPlan plan_generation(const model::ModelConfig& config, std::size_t context);

/// The plan of a state that is only moved from file to file: weights and moments in fp32, on the
/// host of the layout's rank.
[[nodiscard]] MemoryPlan plan_shards(const fsdp::ShardLayout& layout, const Ranks& ranks);

}  // namespace ballast::train
