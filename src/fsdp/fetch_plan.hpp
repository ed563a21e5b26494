#pragma once

#include <cstddef>
#include <vector>

#include "comm/rank_range.hpp"

namespace ballast::fsdp {

/// Ranks, in order, cut into runs of neighbors that read one another's memory: those of a host.
/// Where every rank has its own copy of what is gathered, each is a run of its own.
using Neighborhoods = std::vector<comm::RankRange>;

/// A run for each of `ranks` ranks.
[[nodiscard]] Neighborhoods each_alone(std::size_t ranks);

/// The runs of `neighborhoods` within `ranks`; runs that its ends cut lose what is outside.
[[nodiscard]] Neighborhoods within(const Neighborhoods& neighborhoods, comm::RankRange ranks);

/// The run that has `rank`; an internal Error if none does.
[[nodiscard]] comm::RankRange neighborhood_of(const Neighborhoods& neighborhoods, std::size_t rank);

/// What one rank sends and receives in an all-gather whose result lies once in each neighborhood:
/// every part enters a neighborhood once, and its ranks receive equal shares of the parts from
/// outside. With M ranks there and R here, the part of number j there comes in at number j · R / M
/// here; so ranks of hosts of one size talk to those of their own number.
struct FetchPlan {
  std::vector<std::size_t> receives;  ///< ranks whose parts this rank brings in
  std::vector<std::size_t> sends;     ///< ranks that bring in this rank's part
};
[[nodiscard]] FetchPlan plan_fetch(const Neighborhoods& neighborhoods, std::size_t rank);

}  // namespace ballast::fsdp
