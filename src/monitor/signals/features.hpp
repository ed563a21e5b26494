#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "monitor/signals/step_facts.hpp"
#include "monitor/signals/stream_signals.hpp"
#include "monitor/signals/update_signals.hpp"
#include "monitor/spectral/spectrum.hpp"

namespace ballast::monitor {

/// Numbers that a risk may be made of. Where it says growth or change, it is since the first step.
/// What is seen of blocks leaves block 0 out, which always expands, and is the mean over the
/// others; what is seen of weights is the mean over the matrices of all blocks. The order is the
/// order of a FeatureVector.
enum class Feature : std::size_t {
  attention_growth,  ///< ln of the largest attention logit, growth
  residual_growth,   ///< ln of the RMS of the stream after the last block, growth
  update_growth,     ///< ln of the relative update, growth
  kurtosis_growth,   ///< ln of the kurtosis of the stream that leaves, growth
  loss,              ///< nats a token
  loss_rise,         ///< nats of the smoothed loss above the lowest that it was
  log_z,             ///< mean of ln of the output softmax's denominator, change
  gradient_norm,     ///< ln
  learning_rate,     ///< ln
  staleness,         ///< ln of Adam's RMS_t, the largest of all tensors
  weight_growth,     ///< ln of the RMS of the weights, growth
  weight_update,     ///< ln of ‖Δw‖ ÷ ‖w‖
  expanding,         ///< spectral mass above 1.05, change
  near_unit,         ///< spectral mass in [0.90, 1.05], change
  contracting,       ///< spectral mass below 0.80, change
  radius,            ///< ln of the spectral radius, change
  gain,              ///< ln of the largest singular value, change
  departure,         ///< Henrici's departure from normality, change
  nonlinearity,      ///< what the linear operator leaves unexplained, change
};
inline constexpr std::size_t kFeatures = static_cast<std::size_t>(Feature::nonlinearity) + 1;

/// Counts up whenever a feature changes its meaning: calibrations of another version are refused.
inline constexpr std::size_t kFeatureVersion = 2;

[[nodiscard]] std::string_view name_of(Feature feature);
[[nodiscard]] std::optional<Feature> feature_named(std::string_view name);

/// By Feature; NaN where it has no value.
using FeatureVector = std::array<double, kFeatures>;

/// Of one block: what Feature::expanding and on are changes of. NaN where it has no spectrum.
inline constexpr std::size_t kSpectralLevels =
    kFeatures - static_cast<std::size_t>(Feature::expanding);
using SpectralLevels = std::array<double, kSpectralLevels>;

/// One probe, as features read it: what a run's first one leaves behind for later ones.
struct ProbeLevels {
  std::vector<double> attention_logit;   ///< [layers]
  std::vector<double> update;            ///< [layers]
  std::vector<double> kurtosis;          ///< [layers + 1]
  std::vector<double> rms;               ///< [layers + 1]
  std::vector<SpectralLevels> spectral;  ///< [layers]
  double log_z = std::nan("");
  std::vector<double> weights{};  ///< RMS of each matrix of the blocks; none of held-out text
};

/// What the features of a probe need of its step, besides the streams.
struct StepInput {
  const StepFacts& facts;
  const UpdateSignals& updates;
  double loss_rise;  ///< nats, as LossRise has it
};

/// What the features of one probe are computed from.
struct ProbeInput {
  const StreamSignals& signals;
  std::span<const SpectralFeatures> spectra;
  const StepInput* of_step;  ///< null for held-out text, which has no step
};

[[nodiscard]] ProbeLevels levels_of(const ProbeInput& input);

/// Gives `first` what it has no value of: a first update that was skipped says nothing.
void complete(ProbeLevels& first, const ProbeLevels& now);

/// Of one probe, held against the run's first.
[[nodiscard]] FeatureVector features_of(const ProbeInput& input, const ProbeLevels& now,
                                        const ProbeLevels& first);

/// Feature by feature, over those probes that have a value of it: what a risk is read from.
[[nodiscard]] FeatureVector medians_of(std::span<const FeatureVector> probes);

}  // namespace ballast::monitor
