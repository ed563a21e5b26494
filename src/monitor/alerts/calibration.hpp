#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "monitor/signals/features.hpp"

namespace ballast::monitor {

/// What of a model decides whether a calibration speaks about it.
struct Architecture {
  std::string norm_placement;  ///< "pre", "post" or "none"
  bool qk_norm = false;
  std::size_t dim = 0;
  std::size_t layers = 0;
};

/// From features to the probability that a run breaks within the next `horizon` steps: a logistic
/// function of a few of them, fitted on runs of known outcome.
struct Calibration {
  std::string description;  ///< the runs behind it, for people
  std::uint64_t horizon = 0;
  double threshold = 0.5;  ///< an alert is raised from this probability on
  double bias = 0.0;
  FeatureVector weights{};  ///< 0: not used
  /// Covered: these placements of norms, these settings of qk_norm, these sizes from … to.
  std::vector<std::string> norm_placements;
  std::vector<bool> qk_norm;
  std::array<std::size_t, 2> dim{};
  std::array<std::size_t, 2> layers{};

  /// Why it does not speak about a model, as half a sentence; nothing if it does.
  [[nodiscard]] std::optional<std::string> why_not(const Architecture& model) const;

  /// NaN where a feature that it uses has no value.
  [[nodiscard]] double probability(const FeatureVector& features) const;
  /// The feature that speaks loudest for breaking: the largest weight · value.
  [[nodiscard]] Feature loudest(const FeatureVector& features) const;

  [[nodiscard]] std::string to_json() const;
  /// Data Errors name `source` and the key that is missing, unknown or of another feature version.
  static Calibration parse(const std::string& json, const std::string& source);
  /// What comes with the program.
  static const Calibration& shipped();
};

}  // namespace ballast::monitor
