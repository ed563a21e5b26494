#pragma once

#include <cstddef>
#include <vector>

#include "comm/rank_range.hpp"

namespace ballast::fsdp {

/// Which host each rank of a job runs on; hosts are numbered from 0, and the ranks of a host are
/// neighbors (comm::Runtime numbers them so).
struct Topology {
  std::vector<std::size_t> host_of;

  static Topology on_one_host(std::size_t ranks) { return {std::vector<std::size_t>(ranks, 0)}; }
  /// Hosts with so many ranks each.
  static Topology on_hosts(const std::vector<std::size_t>& ranks_of) {
    Topology topology;
    for (std::size_t host = 0; host < ranks_of.size(); ++host) {
      topology.host_of.insert(topology.host_of.end(), ranks_of[host], host);
    }
    return topology;
  }

  [[nodiscard]] std::size_t ranks() const { return host_of.size(); }
  /// Whether ranks [first, first + count) share a host.
  [[nodiscard]] bool share_a_host(std::size_t first, std::size_t count) const {
    for (std::size_t rank = first; rank < first + count; ++rank) {
      if (host_of[rank] != host_of[first]) return false;
    }
    return true;
  }
  /// The ranks of each host, in order.
  [[nodiscard]] std::vector<comm::RankRange> hosts() const {
    std::vector<comm::RankRange> runs;
    for (std::size_t rank = 0; rank < ranks(); ++rank) {
      if (rank == 0 || host_of[rank] != host_of[rank - 1]) runs.push_back({rank, 0});
      ++runs.back().count;
    }
    return runs;
  }
};

}  // namespace ballast::fsdp
