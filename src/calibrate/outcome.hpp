#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace ballast::calibrate {

/// One step as the log has it.
struct Record {
  std::uint64_t step = 0;
  double loss = 0.0;       ///< nats a token; NaN: was not finite
  double grad_norm = 0.0;  ///< NaN: was not finite
  double loss_scale = 1.0;
};

/// How a run ended, from its loss alone:
///
/// diverged       loss or gradient norm not finite, loss above 50 or gradient norm above 500 (the
///                label of arXiv:2602.22988); gradients that overflow while the loss is scaled do
///                not count, since the scaler answers them
/// drift          the smoothed loss rises 0.3 nats above its lowest and stays there for 20 steps
/// never_learned  none of these, but the loss ends above a bar
/// spike          the loss rises 0.5 nats above the lowest smoothed one and is back within 20 steps
/// healthy        none of these
/// unfinished     not broken so far, and cut off before the last step of its configuration
/// steered        not broken, but the monitor lowered its rate: who knows what would have been
///
/// Smoothed: the mean of the last 10 records, which are steps where log.every = 1. Events are
/// searched from step 20 on. bench/monitor_study/labels.py has the same definitions.
enum class Outcome { diverged, drift, never_learned, spike, healthy, unfinished, steered };

[[nodiscard]] std::string_view name_of(Outcome outcome);

/// A run that ends above it "never learned": nats a byte that counting pairs of letters reaches.
inline constexpr double kBar = 2.2;

struct Label {
  Outcome outcome = Outcome::healthy;
  std::optional<std::uint64_t> event;  ///< the step at which the departure begins
  double final_loss = 0.0;             ///< mean of the last 50 records with a finite loss

  /// A run that never learned counts as broken too, without a step at which it broke.
  [[nodiscard]] bool breaks() const;
  [[nodiscard]] bool is_healthy() const { return outcome == Outcome::healthy; }
};

/// Whether a run reached its last step, and without the monitor's help.
enum class Ending { reached, cut_off, steered };

/// Of a run's records, in the order of their steps; at least one.
[[nodiscard]] Label label_of(std::span<const Record> records, double bar, Ending ending);

}  // namespace ballast::calibrate
