#pragma once

#include <algorithm>
#include <mpi.h>
#include <vector>

#include "base/clock.hpp"

namespace ballast::bench {

/// Seconds that act() takes on the slowest rank, all starting together.
template <class Act>
double slowest_s(Act&& act) {
  MPI_Barrier(MPI_COMM_WORLD);
  const Stopwatch watch;
  act();
  double seconds = watch.elapsed_s();
  MPI_Allreduce(MPI_IN_PLACE, &seconds, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
  return seconds;
}

inline double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

}  // namespace ballast::bench
