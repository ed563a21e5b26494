#include "fsdp/fetch_plan.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace ballast::fsdp {

namespace {

/// The rank of `here` that brings in the part of rank `there.first + number`.
std::size_t receiver_of(comm::RankRange there, std::size_t number, comm::RankRange here) {
  return here.first + number * here.count / there.count;
}

}  // namespace

Neighborhoods each_alone(std::size_t ranks) {
  Neighborhoods runs;
  for (std::size_t rank = 0; rank < ranks; ++rank) runs.push_back({rank, 1});
  return runs;
}

Neighborhoods within(const Neighborhoods& neighborhoods, comm::RankRange ranks) {
  Neighborhoods inside;
  for (const comm::RankRange& run : neighborhoods) {
    const std::size_t first = std::max(run.first, ranks.first);
    const std::size_t end = std::min(run.end(), ranks.end());
    if (first < end) inside.push_back({first, end - first});
  }
  return inside;
}

comm::RankRange neighborhood_of(const Neighborhoods& neighborhoods, std::size_t rank) {
  const auto found = std::ranges::find_if(
      neighborhoods, [&](const comm::RankRange& run) { return run.contains(rank); });
  if (found == neighborhoods.end()) throw internal_error("rank {} is in no neighborhood", rank);
  return *found;
}

FetchPlan plan_fetch(const Neighborhoods& neighborhoods, std::size_t rank) {
  const comm::RankRange here = neighborhood_of(neighborhoods, rank);
  FetchPlan plan;
  for (const comm::RankRange& there : neighborhoods) {
    if (there == here) continue;
    for (std::size_t number = 0; number < there.count; ++number) {
      if (receiver_of(there, number, here) == rank) plan.receives.push_back(there.first + number);
    }
    plan.sends.push_back(receiver_of(here, rank - here.first, there));
  }
  return plan;
}

}  // namespace ballast::fsdp
