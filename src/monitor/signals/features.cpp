#include "monitor/signals/features.hpp"

#include <algorithm>
#include <cmath>

#include "monitor/signals/history.hpp"

namespace ballast::monitor {

namespace {

constexpr std::array<std::string_view, kFeatures> kNames{"attention_growth",
                                                         "residual_growth",
                                                         "update_growth",
                                                         "kurtosis_growth",
                                                         "loss",
                                                         "loss_rise",
                                                         "log_z",
                                                         "gradient_norm",
                                                         "learning_rate",
                                                         "staleness",
                                                         "weight_growth",
                                                         "weight_update",
                                                         "expanding",
                                                         "near_unit",
                                                         "contracting",
                                                         "radius",
                                                         "gain",
                                                         "departure",
                                                         "nonlinearity"};

constexpr std::size_t kFirstSpectral = static_cast<std::size_t>(Feature::expanding);

/// The mean over blocks 1 and on of what `change` says of each; NaN of one block.
template <class Change>
double beyond_first(std::size_t layers, Change&& change) {
  double sum = 0.0;
  for (std::size_t layer = 1; layer < layers; ++layer) sum += change(layer);
  return sum / static_cast<double>(layers - 1);
}

/// The same, over those blocks that have a spectrum.
double beyond_first_with_spectrum(const ProbeLevels& now, const ProbeLevels& first, std::size_t i) {
  double sum = 0.0;
  std::size_t blocks = 0;
  for (std::size_t layer = 1; layer < now.spectral.size(); ++layer) {
    const double change = now.spectral[layer][i] - first.spectral[layer][i];
    if (!std::isfinite(change)) continue;
    sum += change;
    ++blocks;
  }
  return sum / static_cast<double>(blocks);
}

bool is_block_matrix(const TensorUpdate& tensor) { return tensor.layer && tensor.is_matrix; }

double mean_log_update(const UpdateSignals& updates) {
  double sum = 0.0;
  std::size_t matrices = 0;
  for (const auto& tensor : updates) {
    if (!is_block_matrix(tensor)) continue;
    sum += std::log(tensor.update);
    ++matrices;
  }
  return sum / static_cast<double>(matrices);
}

double largest_staleness(const UpdateSignals& updates) {
  double largest = std::nan("");
  for (const auto& tensor : updates) largest = std::fmax(largest, tensor.staleness);
  return largest;
}

double mean_log_ratio(const std::vector<double>& now, const std::vector<double>& first) {
  double sum = 0.0;
  for (std::size_t i = 0; i < now.size(); ++i) sum += std::log(now[i] / first[i]);
  return sum / static_cast<double>(now.size());
}

SpectralLevels spectral_levels(const SpectralFeatures& spectrum) {
  if (!spectrum.has_spectrum()) {
    SpectralLevels none;
    none.fill(std::nan(""));
    return none;
  }
  return {spectrum.masses.expanding, spectrum.masses.near_unit,  spectrum.masses.contracting,
          std::log(spectrum.radius), std::log(spectrum.sigma_1), spectrum.henrici,
          spectrum.nonlinearity};
}

double& at(FeatureVector& features, Feature feature) {
  return features[static_cast<std::size_t>(feature)];
}

void set_of_streams(FeatureVector& features, const ProbeLevels& now, const ProbeLevels& first) {
  const std::size_t layers = now.attention_logit.size();
  const auto mean_log_growth = [&](const std::vector<double>& levels,
                                   const std::vector<double>& start, std::size_t shift) {
    return beyond_first(layers, [&](std::size_t layer) {
      return std::log(levels[layer + shift] / start[layer + shift]);
    });
  };
  at(features, Feature::attention_growth) =
      mean_log_growth(now.attention_logit, first.attention_logit, 0);
  at(features, Feature::residual_growth) = std::log(now.rms[layers] / first.rms[layers]);
  at(features, Feature::update_growth) = mean_log_growth(now.update, first.update, 0);
  at(features, Feature::kurtosis_growth) = mean_log_growth(now.kurtosis, first.kurtosis, 1);
  for (std::size_t i = 0; i < kSpectralLevels; ++i) {
    features[kFirstSpectral + i] = beyond_first_with_spectrum(now, first, i);
  }
}

void set_of_step(FeatureVector& features, const StepInput& input, const ProbeLevels& now,
                 const ProbeLevels& first) {
  const StepFacts& facts = input.facts;
  at(features, Feature::loss) = facts.loss;
  at(features, Feature::loss_rise) = input.loss_rise;
  at(features, Feature::log_z) = facts.log_z - first.log_z;
  at(features, Feature::gradient_norm) = std::log(facts.grad_norm);
  at(features, Feature::learning_rate) = std::log(facts.lr);
  at(features, Feature::staleness) = std::log(largest_staleness(input.updates));
  at(features, Feature::weight_growth) = mean_log_ratio(now.weights, first.weights);
  at(features, Feature::weight_update) = mean_log_update(input.updates);
}

}  // namespace

std::string_view name_of(Feature feature) { return kNames[static_cast<std::size_t>(feature)]; }

std::optional<Feature> feature_named(std::string_view name) {
  const auto at = std::ranges::find(kNames, name);
  if (at == kNames.end()) return {};
  return static_cast<Feature>(at - kNames.begin());
}

ProbeLevels levels_of(const ProbeInput& input) {
  const StreamSignals& signals = input.signals;
  ProbeLevels levels{
      .attention_logit = signals.attention_logit,
      .update = signals.update,
      .kurtosis = signals.kurtosis,
      .rms = signals.rms,
      .spectral = {},
  };
  for (const auto& spectrum : input.spectra) levels.spectral.push_back(spectral_levels(spectrum));
  if (input.of_step == nullptr) return levels;
  levels.log_z = input.of_step->facts.log_z;
  for (const auto& tensor : input.of_step->updates) {
    if (is_block_matrix(tensor)) levels.weights.push_back(tensor.weight);
  }
  return levels;
}

void complete(ProbeLevels& first, const ProbeLevels& now) {
  if (std::isnan(first.log_z)) first.log_z = now.log_z;
  const auto has_none = [](double weight) { return std::isnan(weight); };
  if (first.weights.size() != now.weights.size() || std::ranges::any_of(first.weights, has_none)) {
    first.weights = now.weights;
  }
}

FeatureVector features_of(const ProbeInput& input, const ProbeLevels& now,
                          const ProbeLevels& first) {
  FeatureVector features{};
  features.fill(std::nan(""));
  set_of_streams(features, now, first);
  if (input.of_step != nullptr) set_of_step(features, *input.of_step, now, first);
  // As a checkpoint keeps them: logarithms of nothing are no value either.
  for (double& value : features) {
    if (!std::isfinite(value)) value = std::nan("");
  }
  return features;
}

FeatureVector medians_of(std::span<const FeatureVector> probes) {
  FeatureVector medians{};
  std::vector<double> values;
  for (std::size_t i = 0; i < kFeatures; ++i) {
    values.clear();
    for (const auto& features : probes) values.push_back(features[i]);
    medians[i] = median(values);
  }
  return medians;
}

}  // namespace ballast::monitor
