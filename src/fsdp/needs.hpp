#pragma once

#include <array>
#include <cstddef>
#include <deque>

#include "tensor/arena.hpp"

namespace ballast::fsdp {

/// Communicators besides the job's own, by the ranks in them.
enum class Group : std::size_t {
  gather,    ///< those that hold the shards of one copy of the weights, for gathers alone
  replicas,  ///< those that hold the same shard
  node,      ///< those of this host
  reduce,    ///< all, for reductions alone
};
inline constexpr std::size_t kGroups = 4;

/// A kind of counter on the host's board. Each rank has one, and posts its progress in it.
enum class Signal : std::size_t {};

/// Which ranks of a host have a part of the region that they share.
enum class Holders {
  every_rank,
  first_of_group,  ///< of the ranks here that belong to one group of shards, the first, for all
};

/// Memory in the host's region: each rank that has it has as many bytes, as planned by `arena`.
struct RegionPart {
  Holders holders;
  std::size_t index;
  Arena arena;  ///< this rank's, or that of the first of its group
};

/// What a rank of a sharded model needs before it can work: private memory, memory and counters
/// that the ranks of a host share, and communicators. Stores and exchanges add their needs when
/// they are built, before any of it exists. So a plan needs neither the memory nor other ranks. A
/// Connection provides it. All ranks of a job add the same.
class Needs {
 public:
  Arena own;  ///< private to the rank

  /// Adds a part of the host's region. The reference stays valid.
  [[nodiscard]] RegionPart& region_part(Holders holders);
  /// Adds a kind of counter on the host's board.
  [[nodiscard]] Signal signal();
  void group(Group group) { groups_[static_cast<std::size_t>(group)] = true; }

  [[nodiscard]] std::deque<RegionPart>& region_parts() { return parts_; }
  [[nodiscard]] const std::deque<RegionPart>& region_parts() const { return parts_; }
  [[nodiscard]] std::size_t signals() const { return signals_; }
  [[nodiscard]] bool has(Group group) const { return groups_[static_cast<std::size_t>(group)]; }

 private:
  std::deque<RegionPart> parts_;
  std::size_t signals_ = 0;
  std::array<bool, kGroups> groups_{};
};

/// Bytes of the region's parts with these holders, on each of them.
[[nodiscard]] std::size_t planned_bytes(const Needs& needs, Holders holders);

}  // namespace ballast::fsdp
