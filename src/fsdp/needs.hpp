#pragma once

#include <array>
#include <cstddef>
#include <deque>

#include "tensor/arena.hpp"

namespace ballast::fsdp {

/// Communicators besides the job's own, by the ranks in them.
enum class Group : std::size_t {
  shard,     ///< those that hold the shards of one copy of the weights
  replicas,  ///< those that hold the same shard
  node,      ///< those of this host
  reshard,   ///< those that keep one copy between them after a unit's forward (Reshard::within)
};
inline constexpr std::size_t kGroups = 4;

/// A counter of the host's board, one of each rank, by which ranks tell each other how far they
/// are.
enum class Signal : std::size_t {};

/// Which ranks of a host have a part of the memory that they share.
enum class Holders {
  every_rank,
  first_of_group,  ///< the first of those that share one copy of the weights, for all of them
};

/// Memory in the host's region: as many bytes on each rank that has it, by `arena`'s plan.
struct RegionPart {
  Holders holders;
  std::size_t index;
  Arena arena;  ///< this rank's, or that of the first of its group
};

/// What a rank of a sharded model needs before it can work: memory of its own, memory and counters
/// that the ranks of a host share, and communicators. Stores and exchanges say it while they are
/// built, when nothing of it exists, so that a plan can be made without memory and without other
/// ranks; a Connection provides it. All ranks of a job say the same.
class Needs {
 public:
  Arena own;  ///< private to the rank

  /// One more part of the host's region. The reference stays valid.
  [[nodiscard]] RegionPart& region_part(Holders holders);
  /// One more counter on the host's board.
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

/// Bytes of the region's parts that these ranks have.
[[nodiscard]] std::size_t planned_bytes(const Needs& needs, Holders holders);

}  // namespace ballast::fsdp
