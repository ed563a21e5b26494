#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/memory_limit.hpp"
#include "comm/communicator.hpp"
#include "train/plan/job.hpp"
#include "train/plan/memory_plan.hpp"

namespace ballast::train {

/// The memory that this machine can give to a training.
struct MachineLimits {
  MemoryLimit host;
  ProcessLimits process;

  static MachineLimits here() { return {host_memory_limit(), process_memory_limits()}; }
};

/// A limit that a plan exceeds.
struct Shortage {
  enum class Whose { host, process };
  Whose whose;
  std::uint64_t needed;
  MemoryLimit limit;
};
[[nodiscard]] std::optional<Shortage> find_shortage(const MemoryPlan& plan,
                                                    const MachineLimits& limits);

/// Changes of settings with which the plan would fit the limits, and its memory then: one line
/// each.
[[nodiscard]] std::vector<std::string> ways_to_fit(const Job& job, const MachineLimits& limits);

/// The message for a plan that is too large: its need, the limit, its largest items, and `ways`.
[[nodiscard]] std::string explain(const Shortage& shortage, const MemoryPlan& plan,
                                  const std::vector<std::string>& ways);

/// Throws a usage Error with that message if this machine cannot hold the plan.
void require_fits(const MemoryPlan& plan);

/// The plan of this rank's host. Throws a usage Error with that message, before anything is
/// allocated, if the host or the limit of a process cannot hold it. Collective.
[[nodiscard]] MemoryPlan require_memory(comm::Communicator& world, const Job& job);
[[nodiscard]] MemoryPlan require_memory(comm::Communicator& world, const Blueprint& blueprint,
                                        const Ranks& ranks);

}  // namespace ballast::train
