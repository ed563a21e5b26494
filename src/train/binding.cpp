#include "train/binding.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <map>
#include <sched.h>
#include <set>
#include <sstream>

namespace ballast::train {

namespace {

/// A host's ranks, and the processors that they have between them.
struct Host {
  std::size_t ranks = 0;
  std::set<std::size_t> processors;
};

}  // namespace

std::vector<std::size_t> allowed_processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<std::size_t> processors;
  // Fails on machines with more processors than the set holds: then nothing is said about them.
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return processors;
  for (std::size_t i = 0; i < CPU_SETSIZE; ++i) {
    if (CPU_ISSET(i, &set)) processors.push_back(i);
  }
  return processors;
}

std::vector<std::vector<std::size_t>> gather_processors(comm::Communicator& world) {
  const auto own = fmt::format("{}", fmt::join(allowed_processors(), " "));
  std::vector<std::vector<std::size_t>> processors_of;
  for (const std::string& text : world.gather_texts(own, {"processors"})) {
    std::istringstream stream{text};
    auto& processors = processors_of.emplace_back();
    for (std::size_t processor; stream >> processor;) processors.push_back(processor);
  }
  return processors_of;
}

std::string describe_binding(const fsdp::Topology& topology,
                             const std::vector<std::vector<std::size_t>>& processors_of) {
  std::map<std::size_t, Host> hosts;
  for (std::size_t rank = 0; rank < topology.ranks(); ++rank) {
    Host& host = hosts[topology.host_of[rank]];
    ++host.ranks;
    host.processors.insert(processors_of[rank].begin(), processors_of[rank].end());
  }
  for (const auto& [number, host] : hosts) {
    if (host.processors.empty() || host.processors.size() >= host.ranks) continue;
    return fmt::format(
        "warning: {} ranks of host {} share {} processor(s) and take turns on them: start fewer "
        "ranks, or bind each to a core of its own (mpirun --map-by core --bind-to core)",
        host.ranks, number, host.processors.size());
  }
  return fmt::format(
      "threads: one a rank, on {} processor(s) of rank 0's host; ranks of a host share the "
      "weights, "
      "so a rank on every core needs no further copy of them",
      hosts.begin()->second.processors.size());
}

}  // namespace ballast::train
