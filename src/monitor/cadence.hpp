#pragma once

#include <cstdint>

namespace ballast::monitor {

/// Whether a run gives cause for a closer look.
enum class Watch { calm, alarmed };

/// The steps that are probed: a function of the step and of what was seen before, so that it is the
/// same on every rank and after a resume.
class Cadence {
 public:
  /// How much closer a look is in warm-up and while there is an alarm.
  static constexpr std::uint64_t kDenser = 5;

  /// The share of a training's time that probes may take where they are dense.
  static constexpr double kLargestShare = 0.05;

  /// Every `every` steps (0: never), and up to kDenser times as often up to step `warmup`: as often
  /// as kLargestShare allows if a probe takes `probe_share` of a step's time.
  Cadence(std::uint64_t every, std::uint64_t warmup, double probe_share = 0.0);

  /// Step 1 is always probed: its forward is that of the initial weights, which later probes are
  /// held against.
  [[nodiscard]] bool is_due(std::uint64_t step, Watch watch) const;

 private:
  std::uint64_t every_;
  std::uint64_t warmup_;
  std::uint64_t dense_;
};

}  // namespace ballast::monitor
