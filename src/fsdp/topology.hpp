#pragma once

#include <cstddef>
#include <vector>

namespace ballast::fsdp {

/// Which host each rank of a job runs on; hosts are numbered from 0.
struct Topology {
  std::vector<std::size_t> host_of;

  static Topology on_one_host(std::size_t ranks) { return {std::vector<std::size_t>(ranks, 0)}; }

  [[nodiscard]] std::size_t ranks() const { return host_of.size(); }
  /// Whether ranks [first, first + count) share a host.
  [[nodiscard]] bool share_a_host(std::size_t first, std::size_t count) const {
    for (std::size_t rank = first; rank < first + count; ++rank) {
      if (host_of[rank] != host_of[first]) return false;
    }
    return true;
  }
};

}  // namespace ballast::fsdp
