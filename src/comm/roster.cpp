#include "comm/roster.hpp"

#include <cstddef>
#include <fmt/format.h>
#include <unordered_map>

#include "base/checked_cast.hpp"

namespace ballast::comm {

const std::string& Roster::host(int rank) const {
  return hosts.at(checked_cast<std::size_t>(rank));
}

std::vector<std::string> Roster::hosts_of(const std::vector<int>& in_job) const {
  std::unordered_map<int, std::size_t> places;
  for (std::size_t i = 0; i < job_ranks.size(); ++i) places[job_ranks[i]] = i;
  std::vector<std::string> found;
  for (const int rank : in_job) found.push_back(hosts.at(places.at(rank)));
  return found;
}

std::string Roster::name(int rank) const {
  return fmt::format("rank {}/{} {}", job_ranks.at(checked_cast<std::size_t>(rank)), job_size,
                     host(rank));
}

std::string Roster::label(int rank) const {
  return fmt::format("rank {}/{} ({})", job_ranks.at(checked_cast<std::size_t>(rank)), job_size,
                     host(rank));
}

}  // namespace ballast::comm
