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

std::vector<double> values_of(const Look& look, const Settings& settings) {
  std::vector<double> values;
  for (const Feature feature : settings.features) values.push_back(value_of(look, feature));
  return values;
}

/// What is known of a run each kBetweenLooks steps, up to its event or its last probe.
std::vector<Example> looks_at(const JudgedRun& judged, const Settings& settings) {
  std::vector<Look> looks = judged.run.looks;
  std::erase_if(looks, [&](const Look& look) { return !has_values(look, settings); });
  const auto& event = judged.label.event;
  std::vector<Example> examples;
  if (looks.empty()) return examples;
  for (std::uint64_t step = settings.start; step <= looks.back().step; step += kBetweenLooks) {
    if (event && step >= *event) break;
    const auto later = std::ranges::upper_bound(looks, step, {}, &Look::step);
    if (later == looks.begin()) continue;
    const bool breaks = judged.label.breaks() && (!event || *event <= step + settings.horizon);
    examples.push_back({.values = values_of(*std::prev(later), settings), .breaks = breaks});
  }
  return examples;
}

double threshold_of(Runs runs, const Calibration& calibration, const Settings& settings) {
  std::vector<double> peaks;
  for (const JudgedRun* run : runs) {
    const Risks risks = in_time(*run, calibration, settings);
    if (!run->label.is_healthy() || risks.empty()) continue;
    double peak = 0.0;
    for (const auto& [step, risk] : risks) peak = std::max(peak, risk);
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
  std::vector<Example> examples;
  for (const JudgedRun* run : runs) {
    if (!run->counts()) continue;
    auto looks = looks_at(*run, settings);
    for (auto& look : looks) {
      look.weight = 1.0 / static_cast<double>(looks.size());
      examples.push_back(std::move(look));
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
  // Without a healthy run that was looked at there is nothing to set a threshold by.
  return has_both && std::ranges::any_of(runs, [&](const JudgedRun* run) {
           return run->label.is_healthy() && !looks_at(*run, settings).empty();
         });
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
