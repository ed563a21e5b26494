#include "calibrate/fit.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

namespace ballast::calibrate {

namespace {

using monitor::Calibration;
using monitor::Feature;

constexpr double kHighestThreshold = 0.999;

double value_of(const Look& look, Feature feature) {
  return look.features[static_cast<std::size_t>(feature)];
}

bool has_values(const Look& look, const Settings& settings) {
  return std::ranges::none_of(settings.features,
                              [&](Feature feature) { return std::isnan(value_of(look, feature)); });
}

/// The newest at or before a step; null if there is none.
const Look* look_at(const Run& run, std::uint64_t step, const Settings& settings) {
  const Look* newest = nullptr;
  for (const auto& look : run.looks) {
    if (look.step <= step && has_values(look, settings)) newest = &look;
  }
  return newest;
}

std::vector<double> values_of(const Look& look, const Settings& settings) {
  std::vector<double> values;
  for (const Feature feature : settings.features) values.push_back(value_of(look, feature));
  return values;
}

/// Of a run that reaches the landmark unbroken: whether it breaks within the horizon.
bool breaks_after(const Label& label, std::uint64_t landmark, const Settings& settings) {
  if (!label.breaks()) return false;
  return !label.event || *label.event <= landmark + settings.horizon;
}

double threshold_of(Runs runs, const Calibration& calibration, const Settings& settings) {
  std::vector<double> peaks;
  for (const JudgedRun* run : runs) {
    if (!run->label.is_healthy()) continue;
    double peak = 0.0;
    for (const auto& [step, risk] : in_time(*run, calibration, settings)) {
      peak = std::max(peak, risk);
    }
    peaks.push_back(peak);
  }
  std::ranges::sort(peaks, std::greater{});
  const auto allowed =
      static_cast<std::size_t>(settings.false_alarms * static_cast<double>(peaks.size()));
  const double beyond = std::nextafter(peaks.at(allowed), std::numeric_limits<double>::infinity());
  return std::min(beyond, kHighestThreshold);
}

std::array<std::size_t, 2> range_of(Runs runs, std::size_t monitor::Architecture::*size) {
  std::vector<std::size_t> sizes;
  for (const JudgedRun* run : runs) sizes.push_back(run->run.facts.model.*size);
  const auto [least, most] = std::ranges::minmax(sizes);
  return {least, most};
}

void cover(Calibration& calibration, Runs runs) {
  std::set<std::string> placements;
  std::set<bool> qk_norm;
  for (const JudgedRun* run : runs) {
    placements.insert(run->run.facts.model.norm_placement);
    qk_norm.insert(run->run.facts.model.qk_norm);
  }
  calibration.norm_placements.assign(placements.begin(), placements.end());
  calibration.qk_norm.assign(qk_norm.begin(), qk_norm.end());
  calibration.dim = range_of(runs, &monitor::Architecture::dim);
  calibration.layers = range_of(runs, &monitor::Architecture::layers);
}

}  // namespace

std::vector<Example> examples_of(Runs runs, const Settings& settings) {
  const auto landmarks = settings.landmarks();
  std::vector<Example> examples;
  for (const JudgedRun* judged : runs) {
    if (!judged->counts()) continue;
    const auto& [run, label] = *judged;
    for (const std::uint64_t landmark : landmarks) {
      const bool is_reached = run.records.back().step >= landmark;
      const bool is_broken = label.event && *label.event <= landmark;
      const Look* look = look_at(run, landmark, settings);
      if (!is_reached || is_broken || look == nullptr) continue;
      examples.push_back({.values = values_of(*look, settings),
                          .breaks = breaks_after(label, landmark, settings),
                          .weight = 1.0 / static_cast<double>(landmarks.size())});
    }
  }
  return examples;
}

Risks risks_of(const JudgedRun& run, const Calibration& calibration, const Settings& settings) {
  Risks risks;
  for (const auto& look : run.run.looks) {
    if (!has_values(look, settings)) continue;
    risks.emplace_back(look.step, calibration.probability(look.features));
  }
  return risks;
}

Risks in_time(const JudgedRun& run, const Calibration& calibration, const Settings& settings) {
  Risks risks = risks_of(run, calibration, settings);
  std::erase_if(risks, [&](const auto& at) {
    return at.first < settings.start || (run.label.event && at.first >= *run.label.event);
  });
  return risks;
}

bool can_fit(Runs runs, const Settings& settings) {
  const auto examples = examples_of(runs, settings);
  const auto breaking = std::ranges::count_if(examples, &Example::breaks);
  const bool has_both = breaking > 0 && breaking < std::ssize(examples);
  // Without a healthy run there is nothing to set a threshold by.
  return has_both &&
         std::ranges::any_of(runs, [](const JudgedRun* run) { return run->label.is_healthy(); });
}

Calibration fit(Runs runs, const Settings& settings) {
  const LogisticFit found = fit_logistic(examples_of(runs, settings));
  Calibration calibration;
  calibration.horizon = settings.horizon;
  calibration.bias = found.bias;
  for (std::size_t i = 0; i < settings.features.size(); ++i) {
    calibration.weights[static_cast<std::size_t>(settings.features[i])] = found.weights[i];
  }
  calibration.threshold = threshold_of(runs, calibration, settings);
  cover(calibration, runs);
  return calibration;
}

}  // namespace ballast::calibrate
