#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "monitor/spectral/moments.hpp"
#include "monitor/spectral/spectrum.hpp"

namespace ballast::monitor {

/// How the penalties of the expanding modes are combined.
enum class UnstableTerm {
  mean,  ///< over the modes: the same weight against the near-unit term at any rank
  sum,   ///< as in the paper
};

/// Parameters of Koopman Spectral Shaping, with the paper's letters.
struct KssOptions {
  UnstableTerm unstable = UnstableTerm::mean;
  double upper = 1.05;         ///< τ_u: magnitudes above it are penalized
  double lower = 0.90;         ///< τ_l: from here to τ_u a mode counts as near-unit
  double sharpness = 20.0;     ///< T of the sigmoids
  double near_unit = 0.4;      ///< γ: the wanted near-unit mass
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

/// The gradient of one block's spectral loss with respect to the states that its operator was
/// fitted to: fixed m × m matrices times centered samples. A rank that has the matrices can compute
/// the gradient of its own samples without those of others. Matrices are column-major; all lie in
/// one buffer, which can be sent.
///   dL/dy = y_from_x (x − x̄),  dL/dx = x_from_x (x − x̄) + y_from_x^T (y − ȳ).
class KssOperator {
 public:
  explicit KssOperator(std::size_t dim) : dim_{dim}, values_(2 * dim * dim + 2 * dim) {}

  [[nodiscard]] std::size_t dim() const { return dim_; }
  [[nodiscard]] std::span<double> values() { return values_; }

  [[nodiscard]] std::span<double> y_from_x() { return part(0, square()); }
  [[nodiscard]] std::span<const double> y_from_x() const { return part(0, square()); }
  [[nodiscard]] std::span<double> x_from_x() { return part(square(), square()); }
  [[nodiscard]] std::span<const double> x_from_x() const { return part(square(), square()); }
  /// [m], relative to the streams' shifts.
  [[nodiscard]] std::span<double> mean_x() { return part(2 * square(), dim_); }
  [[nodiscard]] std::span<const double> mean_x() const { return part(2 * square(), dim_); }
  [[nodiscard]] std::span<double> mean_y() { return part(2 * square() + dim_, dim_); }
  [[nodiscard]] std::span<const double> mean_y() const { return part(2 * square() + dim_, dim_); }

 private:
  [[nodiscard]] std::size_t square() const { return dim_ * dim_; }
  [[nodiscard]] std::span<double> part(std::size_t first, std::size_t count) {
    return std::span{values_}.subspan(first, count);
  }
  [[nodiscard]] std::span<const double> part(std::size_t first, std::size_t count) const {
    return std::span{values_}.subspan(first, count);
  }

  std::size_t dim_;
  std::vector<double> values_;
};

/// The spectral loss of one block and its gradient (Kim et al. 2026, arXiv:2602.22988):
///   L = Σ_j σ(T(|λ_j| − τ_u)) softplus(|λ_j| − τ_u)² + β (m_soft − γ)²,
///   m_soft = (1/r) Σ_j σ(T(|λ_j| − τ_l)) σ(T(τ_u − |λ_j|)).
/// The gradient is not spelled out there. With Γ = dL/dA for A = Y X^+:
///   dL/dY = Γ (X^+)^T,  dL/dX = −A^T Γ (X^+)^T + (X X^T)^-1 Γ^T (Y − A X).
class KssGradient {
 public:
  explicit KssGradient(std::size_t dim);

  /// `solver` has just solved `moments`. `out` is zero where there is no gradient. Allocates
  /// nothing.
  KssLoss evaluate(const SpectralSolver& solver, const PairMoments& moments,
                   const KssOptions& options, KssOperator& out);

  /// dL/dx of sampled pairs that are part of the moments: [n, m], dense rows, overwritten.
  void differentiate_x(const KssOperator& from, const StreamRows& x, const StreamRows& y,
                       std::span<float> gradient);
  /// The same for dL/dy, which follows from x alone.
  void differentiate_y(const KssOperator& from, const StreamRows& x, std::span<float> gradient);

 private:
  [[nodiscard]] KssLoss measure(const Decomposition& d, const KssOptions& options);
  void drop_unusable(const Decomposition& d, const KssOptions& options, KssLoss& loss);
  void form_slope(const Decomposition& d);
  void form_matrices(const Decomposition& d, double degrees, KssOperator& out);
  void rotate(const Decomposition& d, std::span<double> matrix);
  void check(const KssOperator& from, const StreamRows& rows,
             std::span<const float> gradient) const;

  std::size_t dim_;
  std::vector<double> slopes_;          // [m]: dL/d|λ|
  std::vector<double> left_, product_;  // [m, m]
  std::vector<double> x_, y_, out_;     // [kChunkRows, m]
};

}  // namespace ballast::monitor
