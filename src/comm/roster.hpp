#pragma once

#include <string>
#include <vector>

namespace ballast::comm {

/// Names for the ranks of a communicator: their numbers in the whole job, and their hosts.
struct Roster {
  int job_size = 1;
  std::vector<int> job_ranks;      ///< in MPI_COMM_WORLD, by rank of the communicator
  std::vector<std::string> hosts;  ///< host names, by rank of the communicator

  [[nodiscard]] const std::string& host(int rank) const;
  /// The hosts of some of these ranks, which `in_job` names by their numbers in the job.
  [[nodiscard]] std::vector<std::string> hosts_of(const std::vector<int>& in_job) const;
  /// "rank 3/8 node04"
  [[nodiscard]] std::string name(int rank) const;
  /// The same inside a sentence: "rank 3/8 (node04)".
  [[nodiscard]] std::string label(int rank) const;
};

}  // namespace ballast::comm
