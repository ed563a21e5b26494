#pragma once

#include <cstddef>
#include <vector>

#include "calibrate/fit.hpp"
#include "calibrate/proportion.hpp"

namespace ballast::calibrate {

/// The part of the data that is left out of each fit in turn, and judged by it.
enum class Fold { run, size };

/// How well calibrations like this one do on runs that they have not seen.
struct Estimate {
  Fold fold = Fold::run;  ///< sizes, (dim, layers), where there are several
  Proportion caught;      ///< of the runs that break after settings.early()
  Proportion false_alarms;
  double lead = 0.0;          ///< median steps from alarm to event; NaN of none
  double brier = 0.0;         ///< of the probability at each look, runs weighing alike; NaN of none
  double brier_blind = 0.0;   ///< of one probability for all: the share of looks before a break
  std::size_t too_early = 0;  ///< runs that broke by then, left out
  std::size_t unjudged = 0;   ///< runs without which nothing could be fitted
};

[[nodiscard]] Estimate estimate(Runs runs, const Settings& settings);

}  // namespace ballast::calibrate
