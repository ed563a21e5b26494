#include "calibrate/outcome.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

namespace ballast::calibrate {

namespace {

constexpr std::uint64_t kFirstStep = 20;
constexpr std::size_t kSmoothed = 10;  ///< records of the trailing mean
constexpr double kRise = 0.3;          ///< nats
constexpr std::uint64_t kStays = 20;   ///< steps
constexpr double kSpike = 0.5;         ///< nats
constexpr double kLossLimit = 50.0;
constexpr double kGradientLimit = 500.0;
constexpr std::size_t kFinal = 50;  ///< records

using Step = std::optional<std::uint64_t>;

bool has_diverged(const Record& record) {
  const bool is_overflow = record.loss_scale != 1.0 && !std::isfinite(record.grad_norm);
  // NaN is below no limit.
  return !(record.loss <= kLossLimit && (is_overflow || record.grad_norm <= kGradientLimit));
}

double mean_loss(std::span<const Record> records) {
  const double sum =
      std::accumulate(records.begin(), records.end(), 0.0,
                      [](double so_far, const Record& r) { return so_far + r.loss; });
  return sum / static_cast<double>(records.size());
}

/// Mean of the last records up to each, of fewer at the start.
std::vector<double> smoothed(std::span<const Record> records) {
  std::vector<double> means;
  for (std::size_t end = 1; end <= records.size(); ++end) {
    const std::size_t count = std::min(end, kSmoothed);
    means.push_back(mean_loss(records.subspan(end - count, count)));
  }
  return means;
}

std::vector<double> running_minimum(std::span<const double> values) {
  std::vector<double> minima;
  double lowest = std::numeric_limits<double>::infinity();
  for (const double value : values) minima.push_back(lowest = std::min(lowest, value));
  return minima;
}

Step first_drift(std::span<const Record> records, std::span<const double> means,
                 std::span<const double> minima) {
  Step begin;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const std::uint64_t step = records[i].step;
    if (step < kFirstStep || means[i] < minima[i] + kRise) {
      begin.reset();
      continue;
    }
    if (!begin) begin = step;
    if (step - *begin + 1 >= kStays) return begin;
  }
  return {};
}

Step first_spike(std::span<const Record> records, std::span<const double> minima) {
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (records[i].step >= kFirstStep && records[i].loss >= minima[i] + kSpike) {
      return records[i].step;
    }
  }
  return {};
}

}  // namespace

std::string_view name_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::diverged:
      return "diverged";
    case Outcome::drift:
      return "drift";
    case Outcome::never_learned:
      return "never learned";
    case Outcome::spike:
      return "spike";
    case Outcome::healthy:
      return "healthy";
    case Outcome::unfinished:
      return "unfinished";
    case Outcome::steered:
      return "rate lowered";
  }
  return "";
}

bool Label::breaks() const {
  return outcome == Outcome::diverged || outcome == Outcome::drift ||
         outcome == Outcome::never_learned;
}

Label label_of(std::span<const Record> records, double bar, Ending ending) {
  const auto diverged = std::ranges::find_if(records, has_diverged);
  const auto finite = records.first(static_cast<std::size_t>(diverged - records.begin()));
  const auto means = smoothed(finite);
  const auto minima = running_minimum(means);
  const double final_loss =
      finite.empty() ? std::nan("") : mean_loss(finite.last(std::min(finite.size(), kFinal)));

  const Step drift = first_drift(finite, means, minima);
  if (diverged != records.end()) {
    // What drifts first and overflows later broke when it drifted.
    const std::uint64_t step = std::max(diverged->step, kFirstStep);
    return {Outcome::diverged, std::min(drift.value_or(step), step), final_loss};
  }
  if (drift) return {Outcome::drift, drift, final_loss};
  if (ending == Ending::steered) return {Outcome::steered, {}, final_loss};
  if (ending == Ending::cut_off) return {Outcome::unfinished, {}, final_loss};
  if (final_loss > bar) return {Outcome::never_learned, {}, final_loss};
  if (const Step spike = first_spike(finite, minima)) return {Outcome::spike, spike, final_loss};
  return {Outcome::healthy, {}, final_loss};
}

}  // namespace ballast::calibrate
