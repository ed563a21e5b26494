#include "monitor/features.hpp"

#include <algorithm>
#include <cmath>

namespace ballast::monitor {

namespace {

constexpr std::array<std::string_view, kFeatures> kNames{"attention_growth",
                                                         "residual_growth",
                                                         "update_growth",
                                                         "kurtosis_growth",
                                                         "loss",
                                                         "gradient_norm",
                                                         "learning_rate",
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

}  // namespace

std::string_view name_of(Feature feature) { return kNames[static_cast<std::size_t>(feature)]; }

std::optional<Feature> feature_named(std::string_view name) {
  const auto at = std::ranges::find(kNames, name);
  if (at == kNames.end()) return {};
  return static_cast<Feature>(at - kNames.begin());
}

ProbeLevels levels_of(const StreamSignals& signals, std::span<const SpectralFeatures> spectra) {
  ProbeLevels levels{signals.attention_logit, signals.update, signals.kurtosis, signals.rms, {}};
  for (const auto& spectrum : spectra) levels.spectral.push_back(spectral_levels(spectrum));
  return levels;
}

FeatureVector features_of(const StepFacts& facts, const ProbeLevels& now,
                          const ProbeLevels& first) {
  const std::size_t layers = now.attention_logit.size();
  FeatureVector features{};
  const auto set = [&](Feature feature, double value) {
    features[static_cast<std::size_t>(feature)] = value;
  };
  const auto mean_log_growth = [&](const std::vector<double>& levels,
                                   const std::vector<double>& start, std::size_t shift) {
    return beyond_first(layers, [&](std::size_t layer) {
      return std::log(levels[layer + shift] / start[layer + shift]);
    });
  };
  set(Feature::attention_growth, mean_log_growth(now.attention_logit, first.attention_logit, 0));
  set(Feature::residual_growth, std::log(now.rms[layers] / first.rms[layers]));
  set(Feature::update_growth, mean_log_growth(now.update, first.update, 0));
  set(Feature::kurtosis_growth, mean_log_growth(now.kurtosis, first.kurtosis, 1));
  set(Feature::loss, facts.loss);
  set(Feature::gradient_norm, std::log(facts.grad_norm));
  set(Feature::learning_rate, std::log(facts.lr));
  for (std::size_t i = 0; i < kSpectralLevels; ++i) {
    features[kFirstSpectral + i] = beyond_first_with_spectrum(now, first, i);
  }
  return features;
}

}  // namespace ballast::monitor
