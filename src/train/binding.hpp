#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "fsdp/topology.hpp"

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

/// One line for the log: how many threads a rank has, and why; a warning where ranks or threads
/// have to take turns on the processors that they were given. `requested`: parallel.threads, unless
/// it is auto.
[[nodiscard]] std::string describe_binding(const fsdp::Topology& topology,
                                           const std::vector<Processors>& processors_of,
                                           std::optional<std::size_t> requested);

}  // namespace ballast::train
