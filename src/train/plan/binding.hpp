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

/// A processor as the operating system counts them; those that share a core have its number in
/// common, within their host.
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

/// The threads a rank that parallel.threads = auto stands for: the cores that every rank has for
/// itself, where one that several ranks of a host may use counts as a part for each. At least 1,
/// and the same for all ranks.
[[nodiscard]] std::size_t automatic_threads(const fsdp::Topology& topology,
                                            const std::vector<Processors>& processors_of);

/// A processor for each thread of `rank`, on cores that no other rank of its host has been given;
/// none where these don't suffice for all its threads.
[[nodiscard]] std::vector<std::size_t> processors_of_threads(
    const fsdp::Topology& topology, const std::vector<Processors>& processors_of, std::size_t rank,
    std::size_t threads);

/// The helpers a rank that parallel.helpers = auto stands for. Where ranks of a single thread share
/// a host on which each has a processor, one that waits leaves a processor idle: two, or one where
/// there is only one such rank to wait for; else none.
[[nodiscard]] std::size_t automatic_helpers(const fsdp::Topology& topology,
                                            const std::vector<Processors>& processors_of,
                                            std::size_t threads);

/// Threads and helpers of each rank.
struct ThreadCounts {
  std::size_t threads;
  std::size_t helpers;
};
/// As parallel.threads and parallel.helpers say, or as above where they are auto.
[[nodiscard]] ThreadCounts count_threads(const ParallelConfig& requested,
                                         const fsdp::Topology& topology,
                                         const std::vector<Processors>& processors_of);

/// Who works for `rank`; helpers go where any rank of its host may.
[[nodiscard]] Crew crew_of(ThreadCounts counts, const fsdp::Topology& topology,
                           const std::vector<Processors>& processors_of, std::size_t rank);

/// One line for the log: how many threads and helpers a rank has, and why; a warning where ranks or
/// threads have to take turns on the processors that they were given.
[[nodiscard]] std::string describe_binding(const fsdp::Topology& topology,
                                           const std::vector<Processors>& processors_of,
                                           const ParallelConfig& requested);

}  // namespace ballast::train
