#include "calibrate/run.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/error.hpp"
#include "base/text.hpp"
#include "monitor/alerts/alert.hpp"
#include "monitor/monitor.hpp"
#include "storage/allowance.hpp"
#include "storage/json_log.hpp"

namespace ballast::calibrate {

namespace {

using monitor::Feature;
using monitor::FeatureVector;
using monitor::kFeatures;
using storage::Json;
using storage::number_at;
using storage::text_at;

/// Steps of one file must rise: two trainings in one log are no run.
class Order {
 public:
  explicit Order(const std::filesystem::path& file) : file_{file.string()} {}

  void expect_later(std::uint64_t step) {
    if (step <= last_) throw data_error("{}: step {} follows step {}", file_, step, last_);
    last_ = step;
  }

 private:
  std::string file_;
  std::uint64_t last_ = 0;
};

/// Holds what is kept of a log's lines against the size of the log.
class Room {
 public:
  /// `bytes`: kept of each line.
  Room(const std::filesystem::path& file, std::size_t bytes)
      : file_{file.string()}, allowance_{file}, bytes_{2 * bytes} {}  // a list that grows keeps
                                                                      // room

  void take_one() {
    if (!allowance_.take(bytes_)) {
      throw data_error("{}: its lines are too short for records: it is no log of a training",
                       file_);
    }
  }

 private:
  std::string file_;
  storage::Allowance allowance_;
  std::size_t bytes_;
};

std::vector<Record> read_records(const std::filesystem::path& file) {
  if (!std::filesystem::exists(file)) {
    throw data_error("there is no '{}'; name the run.dir of a training", file.string());
  }
  std::vector<Record> records;
  Order order{file};
  Room room{file, sizeof(Record)};
  const auto visit = [&](std::uint64_t step, const Json& object) {
    order.expect_later(step);
    room.take_one();
    if (!object.contains("loss") || !object.contains("grad_norm")) {
      throw data_error("{}: step {} has no loss or no grad_norm", file.string(), step);
    }
    const double scale = number_at(object, "loss_scale");
    records.push_back({.step = step,
                       .loss = number_at(object, "loss"),
                       .grad_norm = number_at(object, "grad_norm"),
                       .loss_scale = std::isnan(scale) ? 1.0 : scale});
  };
  storage::read_log(file, visit, storage::BadLines::refused);
  if (records.empty()) throw data_error("{}: holds no record of a step", file.string());
  return records;
}

/// The features of one probe; a data Error where one of `wanted` is not known to the log.
FeatureVector features_of(const Json& probe, std::span<const Feature> wanted,
                          std::string_view where) {
  const auto version = probe.find("feature_version");
  if (version == probe.end() || *version != monitor::kFeatureVersion) {
    throw data_error("{}: feature_version is {}, but this program computes version {}", where,
                     version == probe.end() ? "missing" : excerpt(version->dump()),
                     monitor::kFeatureVersion);
  }
  const auto features = probe.find("features");
  FeatureVector values{};
  values.fill(std::nan(""));
  if (features != probe.end() && features->is_object()) {
    for (std::size_t i = 0; i < kFeatures; ++i) {
      values[i] = number_at(*features, std::string{name_of(static_cast<Feature>(i))}.c_str());
    }
  }
  for (const Feature feature : wanted) {
    const std::string name{name_of(feature)};
    if (features == probe.end() || !features->contains(name)) {
      throw data_error("{}: has no feature '{}': another version of ballast wrote it", where, name);
    }
  }
  return values;
}

void require_values(const std::filesystem::path& file, const std::vector<Look>& looks,
                    std::span<const Feature> wanted) {
  for (const Feature feature : wanted) {
    const bool has_value = std::ranges::any_of(looks, [feature](const Look& look) {
      return !std::isnan(look.features[static_cast<std::size_t>(feature)]);
    });
    if (!has_value) {
      throw data_error("{}: no probe has a value of '{}'; choose other --features", file.string(),
                       name_of(feature));
    }
  }
}

/// The monitor passes over probes of steps whose update was skipped.
bool was_skipped(const FeatureVector& features, const Json& probe) {
  const bool has_norm = probe.at("features").contains(name_of(Feature::gradient_norm));
  return has_norm && std::isnan(features[static_cast<std::size_t>(Feature::gradient_norm)]);
}

std::vector<Look> read_looks(const std::filesystem::path& file, std::span<const Feature> wanted) {
  constexpr const char* kAdvice = "a calibration is made of probes: train with monitor.every > 0";
  if (!std::filesystem::exists(file)) {
    throw data_error("there is no '{}'; {}", file.string(), kAdvice);
  }
  std::vector<Look> looks;
  std::vector<FeatureVector> probes;  // the newest
  Order order{file};
  Room room{file, sizeof(Look)};
  const auto visit = [&](std::uint64_t step, const Json& probe) {
    if (text_at(probe, "source") != "live") return;
    order.expect_later(step);
    const std::string where = fmt::format("{}: step {}", file.string(), step);
    const FeatureVector features = features_of(probe, wanted, where);
    if (was_skipped(features, probe)) return;
    room.take_one();
    if (probes.size() == monitor::Monitor::kRemembered) probes.erase(probes.begin());
    probes.push_back(features);
    looks.push_back({step, monitor::medians_of(probes)});
  };
  storage::read_log(file, visit, storage::BadLines::refused);
  if (looks.empty()) {
    throw data_error("{}: holds no probe of a step; {}", file.string(), kAdvice);
  }
  require_values(file, looks, wanted);
  return looks;
}

/// What alerts.jsonl adds to the other logs.
struct Alerts {
  bool lowered_rate = false;  ///< as monitor.on_alert = lower_lr does
  /// Of an update that was skipped, and not as happens at times where the loss is scaled.
  std::optional<std::uint64_t> first_skipped;
};

Alerts read_alerts(const std::filesystem::path& file) {
  Alerts alerts;
  if (!std::filesystem::exists(file)) return alerts;
  const auto visit = [&](std::uint64_t step, const Json& alert) {
    alerts.lowered_rate |= text_at(alert, "action").starts_with(monitor::kLoweredRate);
    const bool is_skip = text_at(alert, "kind") == name_of(monitor::AlertKind::nonfinite) &&
                         text_at(alert, "severity") != name_of(monitor::Severity::info);
    if (is_skip && !alerts.first_skipped) alerts.first_skipped = step;
  };
  storage::read_log(file, visit, storage::BadLines::refused);
  return alerts;
}

/// A step that was not finite, whether log.every let it be written down or not, and which the loss
/// scale does not explain.
void add_skipped(std::vector<Record>& records, std::uint64_t step) {
  const Record skipped{.step = step, .loss = std::nan(""), .grad_norm = std::nan("")};
  const auto at = std::ranges::lower_bound(records, step, {}, &Record::step);
  if (at != records.end() && at->step == step) {
    *at = skipped;
  } else {
    records.insert(at, skipped);
  }
}

}  // namespace

Run read_run(const std::filesystem::path& folder, const RunFacts& facts,
             std::span<const Feature> features) {
  Run run{.name = folder.string(),
          .facts = facts,
          .records = read_records(folder / "log.jsonl"),
          .looks = read_looks(folder / "monitor.jsonl", features)};
  const Alerts alerts = read_alerts(folder / "alerts.jsonl");
  if (alerts.first_skipped) add_skipped(run.records, *alerts.first_skipped);
  if (alerts.lowered_rate) {
    run.ending = Ending::steered;
  } else if (run.records.back().step < facts.last_step) {
    run.ending = Ending::cut_off;
  }
  return run;
}

}  // namespace ballast::calibrate
