#include "comm/roster.hpp"

#include <cstddef>
#include <fmt/format.h>

#include "base/checked_cast.hpp"

namespace ballast::comm {

const std::string& Roster::host(int rank) const {
  return hosts.at(checked_cast<std::size_t>(rank));
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
