#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "calibrate/logistic.hpp"
#include "calibrate/outcome.hpp"
#include "calibrate/run.hpp"
#include "monitor/alerts/calibration.hpp"

namespace ballast::calibrate {

/// The settings of a fit.
struct Settings {
  std::vector<monitor::Feature> features{monitor::Feature::attention_growth,
                                         monitor::Feature::loss_rise,
                                         monitor::Feature::learning_rate};
  std::uint64_t horizon = 400;  ///< steps that the probability speaks about
  double false_alarms = 0.05;   ///< share of the healthy runs behind it that may alarm
  std::uint64_t start = 100;    ///< step that alarms and looks count from
  double bar = kBar;            ///< a run whose last loss is above it never learned

  /// Runs that break by this step break too early for a warning.
  [[nodiscard]] std::uint64_t early() const { return 2 * start; }
};

/// A run with its outcome.
struct JudgedRun {
  Run run;
  Label label;

  /// Breaks, or is healthy: the other outcomes say nothing about a risk.
  [[nodiscard]] bool counts() const { return label.breaks() || label.is_healthy(); }
};

using Runs = std::span<const JudgedRun* const>;

/// Steps from one look of a fit at a run to the next.
inline constexpr std::uint64_t kBetweenLooks = 50;

/// Looks at runs from settings.start on, until they break: does the run break within the horizon? A
/// run that never learns does, at every look. The weights of a run's looks add up to one.
[[nodiscard]] std::vector<Example> examples_of(Runs runs, const Settings& settings);

/// Step and probability at every probe that has one.
using Risks = std::vector<std::pair<std::uint64_t, double>>;

/// What a calibration says of a run; only probes at which all of `settings.features` have values.
[[nodiscard]] Risks risks_of(const JudgedRun& run, const monitor::Calibration& calibration,
                             const Settings& settings);
/// Those that an alarm could come from in time: from settings.start on, before the event.
[[nodiscard]] Risks in_time(const JudgedRun& run, const monitor::Calibration& calibration,
                            const Settings& settings);

/// Whether there are examples of both kinds, without which nothing can be fitted.
[[nodiscard]] bool can_fit(Runs runs, const Settings& settings);

/// Weights by logistic regression over examples_of(runs); the lowest threshold at which no larger
/// share than settings.false_alarms of the healthy runs ever alarms; coverage from all runs.
[[nodiscard]] monitor::Calibration fit(Runs runs, const Settings& settings);

}  // namespace ballast::calibrate
