#pragma once

namespace ballast::optim {

/// The factor that brings a gradient of norm `norm` down to `limit`, 1 if it is small enough or
/// `limit` is 0. PyTorch's clip_grad_norm_ with its 1e-6.
[[nodiscard]] constexpr double clip_factor(double norm, double limit) {
  if (limit <= 0.0) return 1.0;
  const double factor = limit / (norm + 1e-6);
  return factor < 1.0 ? factor : 1.0;
}

}  // namespace ballast::optim
