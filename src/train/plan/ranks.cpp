#include "train/plan/ranks.hpp"

#include <utility>
#include <vector>

#include "base/checked_cast.hpp"
#include "fsdp/groups.hpp"
#include "train/plan/binding.hpp"

namespace ballast::train {

namespace {

Ranks ranks_on(const ParallelConfig& requested, fsdp::Topology topology,
               const std::vector<Processors>& processors_of, std::size_t rank) {
  const ThreadCounts counts = count_threads(requested, topology, processors_of);
  ThreadPlan thread_plan = thread_plan_of(counts, topology, processors_of, rank);
  std::string note = describe_binding(topology, processors_of, requested);
  return {std::move(topology), rank, std::move(thread_plan), std::move(note)};
}

}  // namespace

Ranks settle_ranks(comm::Communicator& world, const ParallelConfig& requested) {
  fsdp::Topology topology = fsdp::discover_topology(world);
  const auto processors_of = gather_processors(world);
  return ranks_on(requested, std::move(topology), processors_of,
                  checked_cast<std::size_t>(world.rank()));
}

Ranks ranks_like_this_host(const ParallelConfig& requested, fsdp::Topology topology) {
  const std::vector processors_of(topology.ranks(), allowed_processors());
  return ranks_on(requested, std::move(topology), processors_of, 0);
}

}  // namespace ballast::train
