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

/// What a machine leaves to a training.
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

/// Settings that would keep within the limits, with what each would come to: for people whose plan
/// is too large. One line each.
[[nodiscard]] std::vector<std::string> ways_to_fit(const Job& job, const MachineLimits& limits);

/// What to tell whose plan is too large: the need, the limit, the largest items, what would fit.
[[nodiscard]] std::string explain(const Shortage& shortage, const MemoryPlan& plan,
                                  const std::vector<std::string>& ways);

/// A usage Error that explains where this machine cannot hold the plan.
void require_fits(const MemoryPlan& plan);

/// The plan of this rank's host; refuses, before anything is allocated, one that the host or a
/// process limit cannot hold: a usage Error that explains. Collective.
[[nodiscard]] MemoryPlan require_memory(comm::Communicator& world, const Job& job);
[[nodiscard]] MemoryPlan require_memory(comm::Communicator& world, const Blueprint& blueprint,
                                        const Ranks& ranks);

}  // namespace ballast::train
