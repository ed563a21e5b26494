#include "fsdp/mesh.hpp"

#include "base/error.hpp"

namespace ballast::fsdp {

Mesh make_mesh(const Policy& policy, std::size_t ranks) {
  if (policy.sharding != Sharding::hybrid) {
    if (policy.shard_group) {
      throw usage_error(
          "parallel.shard_group = {} belongs to parallel.sharding = hybrid, but the mode is {}: "
          "choose one of them",
          *policy.shard_group, name_of(policy.sharding));
    }
    return policy.sharding == Sharding::none ? Mesh{ranks, 1} : Mesh{1, ranks};
  }
  if (!policy.shard_group) {
    throw usage_error(
        "parallel.sharding = hybrid needs parallel.shard_group, the ranks that share one copy of "
        "the weights (usually the ranks of a host)");
  }
  const std::size_t group = *policy.shard_group;
  if (ranks % group != 0) {
    throw usage_error(
        "parallel.shard_group = {} does not divide the {} ranks of this job: choose a divisor, or "
        "another number of ranks",
        group, ranks);
  }
  return {ranks / group, group};
}

}  // namespace ballast::fsdp
