#include "train/plan/binding.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <fstream>
#include <map>
#include <sched.h>
#include <set>
#include <sstream>

#include "base/team.hpp"

namespace ballast::train {

namespace {

/// A host's ranks, and the processors and cores that they have between them.
struct Host {
  std::size_t ranks = 0;
  std::set<std::size_t> processors;
  std::set<std::size_t> cores;
};

std::map<std::size_t, Host> hosts_of(const fsdp::Topology& topology,
                                     const std::vector<Processors>& processors_of) {
  std::map<std::size_t, Host> hosts;
  for (std::size_t rank = 0; rank < topology.ranks(); ++rank) {
    Host& host = hosts[topology.host_of[rank]];
    ++host.ranks;
    for (const Processor& processor : processors_of[rank]) {
      host.processors.insert(processor.number);
      host.cores.insert(processor.core);
    }
  }
  return hosts;
}

std::set<std::size_t> cores_of(const Processors& processors) {
  std::set<std::size_t> cores;
  for (const Processor& processor : processors) cores.insert(processor.core);
  return cores;
}

std::optional<std::size_t> read_number(const std::filesystem::path& file) {
  std::ifstream stream{file};
  std::size_t number = 0;
  if (stream >> number) return number;
  return std::nullopt;
}

/// A number for the core of a processor. If the system does not say, the processor counts as a
/// core.
std::size_t core_of(const std::filesystem::path& root, std::size_t processor) {
  constexpr std::size_t kPackage = std::size_t{1} << 20;
  constexpr std::size_t kUnknown = std::size_t{1} << 40;
  const auto folder = root / fmt::format("sys/devices/system/cpu/cpu{}/topology", processor);
  const auto package = read_number(folder / "physical_package_id");
  const auto core = read_number(folder / "core_id");
  return package && core ? *package * kPackage + *core : kUnknown + processor;
}

std::string count(std::size_t number, std::string_view noun) {
  return fmt::format("{} {}{}", number, noun, number == 1 ? "" : "s");
}

/// The first rank that may use fewer processors than it has threads.
std::optional<std::size_t> confined_rank(const std::vector<Processors>& processors_of,
                                         std::size_t threads) {
  for (std::size_t rank = 0; rank < processors_of.size(); ++rank) {
    if (!processors_of[rank].empty() && processors_of[rank].size() < threads) return rank;
  }
  return std::nullopt;
}

/// A warning if ranks of `threads` threads lack processors; else empty.
std::string warning_of(const fsdp::Topology& topology, const std::vector<Processors>& processors_of,
                       std::size_t threads) {
  const auto hosts = hosts_of(topology, processors_of);
  for (const auto& [number, host] : hosts) {
    if (host.processors.empty() || host.processors.size() >= host.ranks) continue;
    return fmt::format(
        "warning: {} ranks of host {} share {} processor(s) and take turns on them: start fewer "
        "ranks, or bind each to a core of its own (mpirun --map-by core --bind-to core)",
        host.ranks, number, host.processors.size());
  }
  if (threads == 1) return {};
  if (const auto rank = confined_rank(processors_of, threads)) {
    return fmt::format(
        "warning: parallel.threads = {} but rank {} may use {}: start with mpirun --bind-to none, "
        "or --map-by slot:PE={}",
        threads, *rank, count(processors_of[*rank].size(), "processor"), threads);
  }
  for (const auto& [number, host] : hosts) {
    if (host.processors.empty() || host.processors.size() >= host.ranks * threads) continue;
    return fmt::format(
        "warning: parallel.threads = {} for each of {} on host {}, which have {} between them and "
        "take turns: set it to {}, or start fewer ranks",
        threads, count(host.ranks, "rank"), number, count(host.processors.size(), "processor"),
        std::max<std::size_t>(1, host.cores.size() / host.ranks));
  }
  return {};
}

std::string reason_of(const fsdp::Topology& topology,
                      const std::vector<Processors>& processors_of) {
  const Host host = hosts_of(topology, processors_of).begin()->second;
  if (host.processors.empty()) return "the system does not say which processors it may use";
  const auto is_single = [](const Processors& own) { return cores_of(own).size() == 1; };
  if (host.ranks > 1 && std::ranges::all_of(processors_of, is_single)) {
    return "mpirun binds each rank to a single core";
  }
  if (host.ranks == 1) {
    return fmt::format("it may use {}", count(host.cores.size(), "core"));
  }
  return fmt::format("{} share {}", count(host.ranks, "rank"), count(host.cores.size(), "core"));
}

}  // namespace

Processors allowed_processors(const std::filesystem::path& root) {
  cpu_set_t set;
  CPU_ZERO(&set);
  Processors processors;
  // Fails on machines with more processors than the set holds: then nothing is said about them.
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return processors;
  for (std::size_t i = 0; i < CPU_SETSIZE; ++i) {
    if (CPU_ISSET(i, &set)) processors.push_back({i, core_of(root, i)});
  }
  return processors;
}

std::vector<Processors> gather_processors(comm::Communicator& world) {
  std::string own;
  for (const auto& [number, core] : allowed_processors())
    own += fmt::format("{} {} ", number, core);
  std::vector<Processors> processors_of;
  for (const std::string& text : world.gather_texts(own, {"processors"})) {
    std::istringstream stream{text};
    Processors& processors = processors_of.emplace_back();
    for (Processor next{}; stream >> next.number >> next.core;) processors.push_back(next);
  }
  return processors_of;
}

std::size_t automatic_threads(const fsdp::Topology& topology,
                              const std::vector<Processors>& processors_of) {
  std::map<std::pair<std::size_t, std::size_t>, std::size_t> ranks_on;  // by host and core
  for (std::size_t rank = 0; rank < topology.ranks(); ++rank) {
    for (const std::size_t core : cores_of(processors_of[rank])) {
      ++ranks_on[{topology.host_of[rank], core}];
    }
  }
  std::size_t threads = SIZE_MAX;
  for (std::size_t rank = 0; rank < topology.ranks(); ++rank) {
    double cores = 0.0;
    for (const std::size_t core : cores_of(processors_of[rank])) {
      cores += 1.0 / static_cast<double>(ranks_on.at({topology.host_of[rank], core}));
    }
    // Thirds may add up to a little less than one.
    constexpr double kSlack = 1e-6;
    threads = std::min(threads, static_cast<std::size_t>(cores + kSlack));
  }
  return std::clamp<std::size_t>(threads, 1, Team::kMostWorkers);
}

std::vector<std::size_t> processors_of_threads(const fsdp::Topology& topology,
                                               const std::vector<Processors>& processors_of,
                                               std::size_t rank, std::size_t threads) {
  std::set<std::size_t> taken;  // cores
  std::vector<std::size_t> given;
  for (std::size_t other = 0; other <= rank; ++other) {
    if (topology.host_of[other] != topology.host_of[rank]) continue;
    given.clear();
    for (const Processor& processor : processors_of[other]) {
      if (given.size() == threads) break;
      if (taken.insert(processor.core).second) given.push_back(processor.number);
    }
  }
  if (given.size() < threads) given.clear();
  return given;
}

std::size_t automatic_helpers(const fsdp::Topology& topology,
                              const std::vector<Processors>& processors_of, std::size_t threads) {
  if (threads != 1) return 0;
  std::size_t most_ranks = 1;
  for (const auto& [number, host] : hosts_of(topology, processors_of)) {
    if (host.processors.size() < host.ranks) return 0;
    most_ranks = std::max(most_ranks, host.ranks);
  }
  constexpr std::size_t kHelpers = 2;
  return std::min(kHelpers, most_ranks - 1);
}

ThreadCounts count_threads(const ParallelConfig& requested, const fsdp::Topology& topology,
                           const std::vector<Processors>& processors_of) {
  const std::size_t threads =
      requested.threads ? *requested.threads : automatic_threads(topology, processors_of);
  return {threads, requested.helpers ? *requested.helpers
                                     : automatic_helpers(topology, processors_of, threads)};
}

ThreadPlan thread_plan_of(ThreadCounts counts, const fsdp::Topology& topology,
                          const std::vector<Processors>& processors_of, std::size_t rank) {
  const Host host = hosts_of(topology, processors_of).at(topology.host_of[rank]);
  return {.workers = counts.threads,
          .processors = processors_of_threads(topology, processors_of, rank, counts.threads),
          .helpers = counts.helpers,
          .helper_processors = {host.processors.begin(), host.processors.end()}};
}

std::string describe_binding(const fsdp::Topology& topology,
                             const std::vector<Processors>& processors_of,
                             const ParallelConfig& requested) {
  const auto [threads, helpers] = count_threads(requested, topology, processors_of);
  if (auto warning = warning_of(topology, processors_of, threads); !warning.empty()) {
    return warning;
  }
  return fmt::format(
      "threads: {} a rank{}: {}{}", threads, requested.threads ? ", as parallel.threads says" : "",
      reason_of(topology, processors_of),
      helpers == 0 ? ""
                   : fmt::format("; {} a rank for processors that waiting ranks leave idle",
                                 count(helpers, "helper")));
}

}  // namespace ballast::train
