#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/gemm/gemm.hpp"
#include "monitor/spectral/lapack.hpp"
#include "monitor/spectral/moments.hpp"
#include "monitor/spectral/projection_sketch.hpp"

namespace ballast::monitor {

/// Projects rows onto a basis; its room holds a chunk of shifted rows.
class Projector {
 public:
  Projector(std::size_t dim, std::size_t rank);

  /// out [n, m] (dense) = (rows [n, d] − shift) · basis [d, m], in fp32. The shift is taken off
  /// first, so that a large mean does not cost digits. Values that are not finite stay so.
  void project(const kernels::Gemm& gemm, const StreamRows& x, std::span<const float> basis,
               std::span<float> out);

 private:
  std::size_t dim_;
  std::size_t rank_;
  std::vector<float> shifted_;  // [kChunkRows, d]
};

/// Whether a sketch could be used to improve a basis.
enum class Improvement {
  done,
  too_few_samples,  ///< fewer than two
  non_finite,       ///< samples with values that are not finite
  constant,         ///< x does not vary
};

/// Finds the leading principal components of a residual stream by block power iteration: from a
/// basis Q, Z = X (X^T Q), centered, and then Q_next = orth(Z R), where R from the small
/// eigenproblem Q^T Z = R D R^T (Rayleigh and Ritz) orders the columns by variance. The randomized
/// range finder of Halko, Martinsson and Tropp 2011, with columns beyond those used as its
/// oversampling.
///
/// Bases are [d, m] in double, column-major; equal sketches give equal bases on every rank.
class BasisFinder {
 public:
  BasisFinder(std::size_t dim, std::size_t rank);

  /// Orthonormal columns that depend on the seed and the layer alone: a start for the iteration,
  /// never a basis for a probe (a random projection hides the spectrum).
  void random_start(std::uint64_t seed, std::size_t layer, std::span<double> basis);

  /// One step. A sketch that cannot be used leaves the basis as it is.
  [[nodiscard]] Improvement improve(const Sketch& sketch, std::span<double> basis);

  /// Variances [m] along the columns of the basis that the last sketch was taken with, turned by R,
  /// descending. Their sum over the sketch's total variance is the share that the basis sees.
  [[nodiscard]] std::span<const double> variances() const { return variances_; }

 private:
  std::size_t dim_;
  std::size_t rank_;
  lapack::Workspace workspace_;
  std::vector<double> variances_;  // [m]
  std::vector<double> ritz_;       // [m, m]
  std::vector<double> turned_;     // [d, m]
};

/// basis [d, m], column-major in double, as `project` wants it: row-major in fp32, the first `rank`
/// columns.
void narrow_basis(std::span<const double> basis, std::size_t dim, std::size_t rank,
                  std::span<float> out);

}  // namespace ballast::monitor
