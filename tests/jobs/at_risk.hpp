#pragma once

namespace ballast::test {

/// A calibration whose risk is above its threshold from the first probe on.
inline constexpr const char* kAlwaysAtRisk = R"({"feature_version": 2, "description": "alarm",
  "horizon": 10, "threshold": 1e-9, "bias": 0.0, "weights": {},
  "covers": {"norm_placement": ["pre"], "qk_norm": [false], "dim": [1, 999], "layers": [1, 9]}})";

}  // namespace ballast::test
