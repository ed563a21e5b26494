#include "monitor/spectral/projection.hpp"

#include <algorithm>

#include "base/checked_cast.hpp"
#include "base/error.hpp"
#include "base/philox.hpp"
#include "kernels/lanes/isa.hpp"
#include "monitor/spectral/moments_fixed_point.hpp"

namespace ballast::monitor {

namespace {

using fixed_point::kChunkRows;

BALLAST_KERNEL void subtract(const float* __restrict row, const float* __restrict shift,
                             float* __restrict out, std::size_t count) {
  for (std::size_t j = 0; j < count; ++j) out[j] = row[j] - shift[j];
}

}  // namespace

Projector::Projector(std::size_t dim, std::size_t rank)
    : dim_{dim}, rank_{rank}, shifted_(kChunkRows * dim) {}

void Projector::project(const kernels::Gemm& gemm, const StreamRows& x,
                        std::span<const float> basis, std::span<float> out) {
  const auto& [rows, shift] = x;
  if (rows.cols != dim_ || shift.size() != dim_ || basis.size() != dim_ * rank_ ||
      out.size() != rows.rows * rank_) {
    throw internal_error("rows of {} do not fit a projection from {} to {}", rows.cols, dim_,
                         rank_);
  }
  for (std::size_t first = 0; first < rows.rows; first += kChunkRows) {
    const std::size_t count = std::min(kChunkRows, rows.rows - first);
    for (std::size_t i = 0; i < count; ++i) {
      subtract(rows.data + (first + i) * rows.stride, shift.data(), shifted_.data() + i * dim_,
               dim_);
    }
    gemm.multiply(kernels::matrix(shifted_.data(), count, dim_), kernels::Transpose::no,
                  kernels::matrix(basis.data(), dim_, rank_), kernels::Transpose::no,
                  kernels::matrix(out.data() + first * rank_, count, rank_),
                  kernels::Store::overwrite);
  }
}

BasisFinder::BasisFinder(std::size_t dim, std::size_t rank)
    : dim_{dim},
      rank_{rank},
      workspace_{dim, rank},
      variances_(rank),
      ritz_(rank * rank),
      turned_(dim * rank) {
  if (rank == 0 || rank > dim) {
    throw internal_error("a basis of {} columns in {} dimensions", rank, dim);
  }
}

void BasisFinder::random_start(std::uint64_t seed, std::size_t layer, std::span<double> basis) {
  if (basis.size() != dim_ * rank_) throw internal_error("a basis of the wrong size");
  const Philox draw{seed, RandomPurpose::basis, checked_cast<std::uint32_t>(layer), 0};
  for (std::size_t i = 0; i < basis.size(); ++i) {
    basis[i] = 2.0 * open_unit(draw(i / 4)[i % 4]) - 1.0;
  }
  lapack::orthonormalize_columns(dim_, rank_, basis, workspace_);
}

Improvement BasisFinder::improve(const Sketch& sketch, std::span<double> basis) {
  if (basis.size() != dim_ * rank_ || sketch.z.size() != dim_ * rank_) {
    throw internal_error("a basis or a sketch of the wrong size");
  }
  if (!sketch.is_finite) return Improvement::non_finite;
  if (sketch.samples < 2) return Improvement::too_few_samples;
  if (!(sketch.variance > 0.0)) return Improvement::constant;
  lapack::multiply({rank_, rank_, dim_}, {basis, dim_, lapack::Op::transposed}, {sketch.z, dim_},
                   ritz_);
  for (std::size_t j = 0; j < rank_; ++j) {
    for (std::size_t i = 0; i < j; ++i) {
      ritz_[i + j * rank_] = 0.5 * (ritz_[i + j * rank_] + ritz_[j + i * rank_]);
    }
  }
  if (lapack::symmetric_eigen(rank_, ritz_, variances_, workspace_) != lapack::Outcome::converged) {
    throw internal_error("LAPACK found no principal components of a finite covariance");
  }
  std::reverse(variances_.begin(), variances_.end());
  for (std::size_t j = 0; j < rank_ / 2; ++j) {
    const auto columns = [&](std::size_t at) {
      return ritz_.begin() + static_cast<std::ptrdiff_t>(at * rank_);
    };
    std::swap_ranges(columns(j), columns(j + 1), columns(rank_ - 1 - j));
  }
  lapack::multiply({dim_, rank_, rank_}, {sketch.z, dim_}, {ritz_, rank_}, turned_);
  lapack::orthonormalize_columns(dim_, rank_, turned_, workspace_);
  std::copy(turned_.begin(), turned_.end(), basis.begin());
  return Improvement::done;
}

void narrow_basis(std::span<const double> basis, std::size_t dim, std::size_t rank,
                  std::span<float> out) {
  if (basis.size() < dim * rank || out.size() != dim * rank) {
    throw internal_error("a basis of the wrong size");
  }
  for (std::size_t j = 0; j < rank; ++j) {
    for (std::size_t i = 0; i < dim; ++i) {
      out[i * rank + j] = static_cast<float>(basis[i + j * dim]);
    }
  }
}

}  // namespace ballast::monitor
