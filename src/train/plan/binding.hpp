#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/team.hpp"
#include "comm/communicator.hpp"
#include "fsdp/topology.hpp"
#include "train/settings/config.hpp"

namespace ballast::train {

/// A processor as the operating system counts them. Processors of one core have the same `core`,
/// which is unique within their host.
struct Processor {
  std::size_t number;
  std::size_t core;

  bool operator==(const Processor&) const = default;
};
using Processors = std::vector<Processor>;

/// The processors that this process may run on; none where the system does not say. `root` is for
/// tests.
[[nodiscard]] Processors allowed_processors(const std::filesystem::path& root = "/");

/// allowed_processors of every rank. Collective.
[[nodiscard]] std::vector<Processors> gather_processors(comm::Communicator& world);

/// Threads per rank for parallel.threads = auto: the cores that every rank has for itself. A core
/// that k ranks of a host may use counts as 1/k for each of them. At least 1, and the same for all
/// ranks.
[[nodiscard]] std::size_t automatic_threads(const fsdp::Topology& topology,
                                            const std::vector<Processors>& processors_of);

/// A processor for each thread of `rank`, on cores that no other rank of its host was given; empty
/// if there are too few for all its threads.
[[nodiscard]] std::vector<std::size_t> processors_of_threads(
    const fsdp::Topology& topology, const std::vector<Processors>& processors_of, std::size_t rank,
    std::size_t threads);

/// Helpers per rank for parallel.helpers = auto. If ranks of one thread share a host and each has a
/// processor, a waiting rank leaves its processor idle: then 2, or 1 if a host has only two ranks.
/// Otherwise 0.
[[nodiscard]] std::size_t automatic_helpers(const fsdp::Topology& topology,
                                            const std::vector<Processors>& processors_of,
                                            std::size_t threads);

/// Threads and helpers of each rank.
struct ThreadCounts {
  std::size_t threads;
  std::size_t helpers;
};
/// The values of parallel.threads and parallel.helpers, computed as above where they are auto.
[[nodiscard]] ThreadCounts count_threads(const ParallelConfig& requested,
                                         const fsdp::Topology& topology,
                                         const std::vector<Processors>& processors_of);

/// The threads of `rank`. Its helpers may run on the processors of all ranks of its host.
[[nodiscard]] ThreadPlan thread_plan_of(ThreadCounts counts, const fsdp::Topology& topology,
                                        const std::vector<Processors>& processors_of,
                                        std::size_t rank);

/// One line for the log: how many threads and helpers a rank has, and why; a warning if ranks or
/// threads must share processors.
[[nodiscard]] std::string describe_binding(const fsdp::Topology& topology,
                                           const std::vector<Processors>& processors_of,
                                           const ParallelConfig& requested);

}  // namespace ballast::train
