#pragma once

#include <complex>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "monitor/alerts/action.hpp"
#include "monitor/alerts/alert.hpp"
#include "monitor/alerts/calibration.hpp"
#include "monitor/alerts/detectors.hpp"
#include "monitor/cadence.hpp"
#include "monitor/defaults.hpp"
#include "monitor/probe/probe_rows.hpp"
#include "monitor/signals/features.hpp"
#include "monitor/signals/loss_rise.hpp"
#include "monitor/signals/stream_signals.hpp"
#include "monitor/spectral/spectral_probe.hpp"

namespace ballast::monitor {

/// What a monitor is told. The same on every rank.
struct MonitorOptions {
  Architecture model;
  std::uint64_t every = kDefaultEvery;  ///< steps between probes; 0: none
  std::uint64_t warmup = 0;             ///< steps of the schedule's warm-up
  double step_flop = 0.0;               ///< of a training step, over the whole job; 0: not known
  std::uint64_t seed = 1;
  std::size_t tokens = kDefaultTokens;  ///< that a probe samples over the whole job
  std::size_t rank = kDefaultRank;  ///< directions that the spectrum of wider streams is taken in
  std::size_t capacity = 0;         ///< tokens that a probe may sample on this rank
  Calibration calibration = Calibration::shipped();
  OnAlert on_alert = OnAlert::log;
};

/// What its probes measure.
[[nodiscard]] SpectralShape shape_of(const MonitorOptions& options);

/// What Koopman Spectral Shaping did in a step.
struct ShapingRecord {
  double loss = 0.0;           ///< mean spectral loss of the blocks that were drawn
  double near_unit = 0.0;      ///< their mean soft near-unit mass
  double applied_share = 0.0;  ///< of the gradient that was wanted, after the cap
};

/// What a probe of a step's own tokens tells besides.
struct ProbeOfStep {
  double log_z = 0.0;
  UpdateSignals updates;
  std::optional<double> risk{};  ///< nothing where the calibration does not cover the model
  std::optional<ShapingRecord> shaping{};
};

/// One probe, as it is written down.
struct Probe {
  std::uint64_t step = 0;  ///< whose forward used the same weights
  StreamSignals signals;
  std::vector<SpectralFeatures> spectra;                       ///< [layers]
  std::vector<std::vector<std::complex<double>>> eigenvalues;  ///< [layers], of rank each
  FeatureVector features{};                                    ///< of this probe alone
  /// Nothing: it looked at held-out text, always at the same tokens.
  std::optional<ProbeOfStep> of_step;
};

/// What a run's probes and alerts leave behind for later ones.
struct MonitorState {
  std::optional<ProbeLevels> first;  ///< of the run's first probe
  std::optional<ProbeLevels> first_held_out;
  LossRiseState loss_rise;
  std::vector<FeatureVector> recent;  ///< of the last probes, oldest first
  std::uint64_t alarmed_until = 0;    ///< step up to which probes are dense
  std::uint64_t alarmed_since = 0;    ///< step whose alert began that alarm
  std::uint64_t risk_raised = 0;      ///< step of its last alert; 0: none
  DetectorState detectors;
  Responder::State responder;
};

/// Watches a training. Everything it says follows from sums over the whole job that are exact, so
/// it says the same on every rank and at any rank count.
class Monitor {
 public:
  /// Probes whose medians the risk is read from.
  static constexpr std::size_t kRemembered = 5;

  /// `gemm` must outlive this.
  Monitor(MonitorOptions options, const kernels::Gemm& gemm);

  /// Whether a step is to be probed: rows() is then to be filled during its forward passes.
  [[nodiscard]] bool is_due(std::uint64_t step) const;
  [[nodiscard]] ProbeRows& rows() { return rows_; }
  /// How many steps before `step` the alarm began that holds in it; nothing if there is none.
  [[nodiscard]] std::optional<std::uint64_t> alarm_age(std::uint64_t step) const;

  /// What every step shows. Not collective.
  [[nodiscard]] std::vector<Alert> after_step(const StepFacts& facts);
  /// Of a step that was probed, after after_step. `updates`: of the weights in that step, over the
  /// whole job; `shaping`: what it did, where the step was shaped. Collective.
  [[nodiscard]] std::vector<Alert> after_probe(comm::Communicator& world, const StepFacts& facts,
                                               UpdateSignals updates,
                                               const std::optional<ShapingRecord>& shaping);

  /// Of held-out text, with which rows() were filled before step `step`: written down beside the
  /// others, since no batch's luck is in it; no risk is read from it. Collective.
  void after_held_out(comm::Communicator& world, std::uint64_t step);

  /// What is to be done about the alerts of one step; notes it in them.
  [[nodiscard]] Action answer(std::span<Alert> alerts) { return responder_.answer(alerts); }
  /// What the schedule's learning rate is to be multiplied with.
  [[nodiscard]] double lr_factor() const { return responder_.lr_factor(); }

  /// The newest probe.
  [[nodiscard]] const Probe& probe() const { return probe_; }
  /// Why there is no risk, as half a sentence; nothing if there is.
  [[nodiscard]] std::optional<std::string> uncalibrated() const { return uncalibrated_; }

  /// What a resumed run needs to go on as if it had never stopped.
  [[nodiscard]] MonitorState state() const;
  void restore(const MonitorState& state);

 private:
  void take_probe(comm::Communicator& world, std::uint64_t step, const StepInput* of_step,
                  std::optional<ProbeLevels>& first);
  void judge(const StepFacts& facts, std::vector<Alert>& alerts);
  void note(std::uint64_t step, const std::vector<Alert>& alerts);
  [[nodiscard]] Alert risk_alert(std::uint64_t step, const FeatureVector& features) const;

  MonitorOptions options_;
  std::optional<std::string> uncalibrated_;
  Cadence cadence_;
  ProbeRows rows_;
  StreamSums sums_;
  std::unique_ptr<SpectralProbe> spectral_;  ///< null where nothing is ever probed
  Detectors detectors_;
  LossRise loss_rise_;
  Responder responder_;
  Probe probe_;
  MonitorState state_;
};

}  // namespace ballast::monitor
