#pragma once

#include <cstddef>

#include "fsdp/policy.hpp"

namespace ballast::fsdp {

/// Ranks as `replicas` groups of `shards` neighbors each: rank = replica · shards + shard. The
/// ranks of a group share one copy of the weights; ranks with the same shard hold the same part of
/// it and share the work of reducing its gradient.
struct Mesh {
  std::size_t replicas = 1;
  std::size_t shards = 1;

  [[nodiscard]] constexpr std::size_t ranks() const { return replicas * shards; }
  [[nodiscard]] constexpr std::size_t replica_of(std::size_t rank) const { return rank / shards; }
  [[nodiscard]] constexpr std::size_t shard_of(std::size_t rank) const { return rank % shards; }
  [[nodiscard]] constexpr std::size_t first_of_group(std::size_t rank) const {
    return replica_of(rank) * shards;
  }
  /// Which of ranks() parts of a unit a rank reduces: the parts of the ranks that hold a shard are
  /// neighbors, and together they are that shard.
  [[nodiscard]] constexpr std::size_t part_of(std::size_t rank) const {
    return shard_of(rank) * replicas + replica_of(rank);
  }
};

/// The mesh of a mode on `ranks` ranks. Usage Errors name the keys: a group size that does not
/// divide the ranks, one that is missing (hybrid), or one that the mode has no use for.
[[nodiscard]] Mesh make_mesh(const Policy& policy, std::size_t ranks);

}  // namespace ballast::fsdp
