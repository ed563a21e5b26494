#pragma once

#include <cstdint>

namespace ballast::optim {

/// Bounds and pace of dynamic loss scaling. Scales are powers of two, so that scaling itself never
/// rounds a gradient.
struct LossScalerConfig {
  double initial = 65536.0;
  std::uint64_t growth_interval = 1000;  ///< finite steps in a row after which the scale doubles
  std::uint64_t hysteresis = 2;          ///< the overflow after a growth at which it halves
  double minimum = 1.0;
  double maximum = 16777216.0;  ///< 2^24
};

/// What a checkpoint keeps of it.
struct LossScalerState {
  double scale = 1.0;
  std::uint64_t good_steps = 0;  ///< finite steps since the last overflow or growth
  std::uint64_t tolerance = 0;   ///< overflows still forgiven before the scale halves

  bool operator==(const LossScalerState&) const = default;
};

/// Dynamic loss scaling (Micikevicius et al. 2018, section 3.2), with the hysteresis of Megatron's
/// DynamicGradScaler: single overflows far apart cost a step each, not half the range. After the
/// scale has halved, each further overflow halves it again, until it has grown.
class LossScaler {
 public:
  /// Throws a usage Error that names the key where a scale is not a power of two, the initial one
  /// is out of bounds, or an interval is 0.
  explicit LossScaler(const LossScalerConfig& config);

  [[nodiscard]] LossScalerState start() const;

  /// After a step whose gradients were finite.
  void finite(LossScalerState& state) const;

  /// After a step that overflowed. Returns false where the scale is due to halve and is at its
  /// minimum already: the loss itself is not finite, and going on would change nothing.
  [[nodiscard]] bool overflow(LossScalerState& state) const;

 private:
  LossScalerConfig config_;
};

}  // namespace ballast::optim
