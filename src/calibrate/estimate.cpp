#include "calibrate/estimate.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <utility>

namespace ballast::calibrate {

namespace {

using Size = std::pair<std::size_t, std::size_t>;

Size size_of(const JudgedRun& run) { return {run.run.facts.model.dim, run.run.facts.model.layers}; }

/// The runs of each part that is left out together.
std::vector<std::vector<const JudgedRun*>> folds_of(Runs runs, Fold fold) {
  std::vector<std::vector<const JudgedRun*>> folds;
  std::map<Size, std::size_t> known;
  for (const JudgedRun* run : runs) {
    const auto [at, is_new] = known.try_emplace(size_of(*run), folds.size());
    if (is_new || fold == Fold::run) folds.emplace_back();
    folds[fold == Fold::run ? folds.size() - 1 : at->second].push_back(run);
  }
  return folds;
}

std::vector<const JudgedRun*> without(Runs runs, Runs left_out) {
  std::vector<const JudgedRun*> rest;
  std::ranges::copy_if(runs, std::back_inserter(rest), [&](const JudgedRun* run) {
    return std::ranges::find(left_out, run) == left_out.end();
  });
  return rest;
}

double median_of(std::vector<double> values) {
  if (values.empty()) return std::nan("");
  std::ranges::sort(values);
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2.0;
}

double probability_of(const Example& look, const monitor::Calibration& calibration,
                      const Settings& settings) {
  monitor::FeatureVector features{};
  for (std::size_t i = 0; i < settings.features.size(); ++i) {
    features[static_cast<std::size_t>(settings.features[i])] = look.values[i];
  }
  return calibration.probability(features);
}

/// Adds up what held-out runs show.
class Tally {
 public:
  explicit Tally(const Settings& settings) : settings_{&settings} {}

  void judge(const JudgedRun& run, const monitor::Calibration& calibration) {
    const auto& label = run.label;
    if (label.breaks() && label.event && *label.event <= settings_->early()) {
      ++sum_.too_early;
      return;
    }
    const Risks watched = in_time(run, calibration, *settings_);
    const auto alarm = std::ranges::find_if(
        watched, [&](const auto& at) { return at.second >= calibration.threshold; });
    const bool alarms = alarm != watched.end();
    (label.breaks() ? sum_.caught : sum_.false_alarms).count(alarms);
    if (label.event && alarms) leads_.push_back(static_cast<double>(*label.event - alarm->first));
    read(run, calibration);
  }

  [[nodiscard]] Estimate total() const {
    Estimate estimate = sum_;
    estimate.lead = median_of(leads_);
    const double share = breaking_ / weight_;
    estimate.brier = squares_ / weight_;
    estimate.brier_blind = share * (1.0 - share);
    return estimate;
  }

 private:
  void read(const JudgedRun& run, const monitor::Calibration& calibration) {
    const JudgedRun* const alone[] = {&run};
    for (const auto& look : examples_of(alone, *settings_)) {
      const double breaks = look.breaks ? 1.0 : 0.0;
      const double off = probability_of(look, calibration, *settings_) - breaks;
      squares_ += look.weight * off * off;
      breaking_ += look.weight * breaks;
      weight_ += look.weight;
    }
  }

  const Settings* settings_;
  Estimate sum_;
  std::vector<double> leads_;
  double squares_ = 0.0;   ///< over looks, those of a run weighing 1
  double breaking_ = 0.0;  ///< of that weight
  double weight_ = 0.0;
};

}  // namespace

Estimate estimate(Runs all, const Settings& settings) {
  std::vector<const JudgedRun*> runs;
  std::set<Size> sizes;
  for (const JudgedRun* run : all) {
    if (!run->counts()) continue;
    runs.push_back(run);
    sizes.insert(size_of(*run));
  }
  const Fold fold = sizes.size() > 1 ? Fold::size : Fold::run;
  Tally tally{settings};
  std::size_t unjudged = 0;
  for (const auto& left_out : folds_of(runs, fold)) {
    const auto rest = without(runs, left_out);
    if (!can_fit(rest, settings)) {
      unjudged += left_out.size();
      continue;
    }
    const auto calibration = fit(rest, settings);
    for (const JudgedRun* run : left_out) tally.judge(*run, calibration);
  }
  Estimate found = tally.total();
  found.fold = fold;
  found.unjudged = unjudged;
  return found;
}

}  // namespace ballast::calibrate
