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

  /// Every `every` steps (0: never), and kDenser times as often up to step `warmup`.
  Cadence(std::uint64_t every, std::uint64_t warmup);

  /// Step 1 is always probed: its forward is that of the initial weights, which later probes are
  /// held against.
  [[nodiscard]] bool is_due(std::uint64_t step, Watch watch) const;

 private:
  std::uint64_t every_;
  std::uint64_t warmup_;
  std::uint64_t dense_;
};

}  // namespace ballast::monitor
