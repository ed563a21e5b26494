#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "monitor/moments.hpp"
#include "monitor/spectrum.hpp"

namespace ballast::monitor {

/// How the penalties of the modes that expand are put together.
enum class UnstableTerm {
  mean,  ///< over the modes: the same weight against the near-unit term at any rank
  sum,   ///< as in the paper
};

/// Koopman Spectral Shaping's knobs, with the paper's letters.
struct KssOptions {
  UnstableTerm unstable = UnstableTerm::mean;
  double upper = 1.05;         ///< τ_u: magnitudes above it are penalised
  double lower = 0.90;         ///< τ_l: from here to τ_u a mode counts as near-unit
  double sharpness = 20.0;     ///< T of the sigmoids
  double near_unit = 0.4;      ///< γ: the near-unit mass that is aimed for
  double weight = 1.0;         ///< β of the near-unit term, which the paper leaves open
  double smallest_gap = 1e-3;  ///< modes nearer than this to another have no usable derivative,
  double largest_left = 1e3;   ///< nor those whose left eigenvector, scaled to u^*v = 1, is longer
};

struct KssLoss {
  double loss = 0.0;
  double unstable = 0.0;      ///< Σ or mean of σ(T(|λ| − τ_u)) softplus(|λ| − τ_u)²
  double near_unit = 0.0;     ///< the soft near-unit mass
  std::size_t skipped = 0;    ///< modes left out of the gradient
  bool has_gradient = false;  ///< there is none without a spectrum of full rank
};

/// The spectral loss of one block and its gradient (Kim et al. 2026, arXiv:2602.22988):
///   L = Σ_j σ(T(|λ_j| − τ_u)) softplus(|λ_j| − τ_u)² + β (m_soft − γ)²,
///   m_soft = (1/r) Σ_j σ(T(|λ_j| − τ_l)) σ(T(τ_u − |λ_j|)).
/// The gradient is not spelled out there. With Γ = dL/dA for A = Y X^+:
///   dL/dY = Γ (X^+)^T,  dL/dX = −A^T Γ (X^+)^T + (X X^T)^-1 Γ^T (Y − A X),
/// which are fixed m × m matrices times the centred columns of X and Y: ranks that know the moments
/// differentiate their own samples without seeing others'.
class KssGradient {
 public:
  explicit KssGradient(std::size_t dim);

  /// `solver` has just solved `moments`. Allocates nothing.
  KssLoss evaluate(const SpectralSolver& solver, const PairMoments& moments,
                   const KssOptions& options);

  /// dL/dx and dL/dy [n, m] (dense rows, overwritten) of sampled pairs that are part of the
  /// moments; zero where evaluate found no gradient.
  void differentiate(const StreamRows& x, const StreamRows& y, std::span<float> gradient_x,
                     std::span<float> gradient_y);

  /// Column-major [m, m]: dL/dy = y_from_x (x − x̄); dL/dx = x_from_x (x − x̄) + y_from_x^T (y − ȳ).
  [[nodiscard]] std::span<const double> y_from_x() const { return y_from_x_; }
  [[nodiscard]] std::span<const double> x_from_x() const { return x_from_x_; }

 private:
  [[nodiscard]] KssLoss measure(const Decomposition& d, const KssOptions& options);
  void drop_unusable(const Decomposition& d, const KssOptions& options, KssLoss& loss);
  void form_slope(const Decomposition& d);
  void form_matrices(const Decomposition& d, double degrees);
  void rotate(const Decomposition& d, std::span<double> matrix);

  std::size_t dim_;
  std::vector<double> slopes_;          // [m]: dL/d|λ|
  std::vector<double> left_, product_;  // [m, m]
  std::vector<double> y_from_x_, x_from_x_;
  std::vector<double> mean_x_, mean_y_;
  std::vector<double> x_, y_, out_;  // [kChunkRows, m]
};

}  // namespace ballast::monitor
