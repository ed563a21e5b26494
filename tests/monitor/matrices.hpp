#pragma once

#include <cmath>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <vector>

#include "base/philox.hpp"
#include "monitor/spectral/moments.hpp"

namespace ballast::monitor::test {

/// A small row-major matrix with plain loops: what the monitor's results are held against.
struct Matrix {
  Matrix(std::size_t row_count, std::size_t col_count)
      : rows{row_count}, cols{col_count}, values(row_count * col_count) {}

  double& operator()(std::size_t i, std::size_t j) { return values[i * cols + j]; }
  double operator()(std::size_t i, std::size_t j) const { return values[i * cols + j]; }

  std::size_t rows, cols;
  std::vector<double> values;
};

inline Matrix operator*(const Matrix& a, const Matrix& b) {
  Matrix c{a.rows, b.cols};
  for (std::size_t i = 0; i < a.rows; ++i) {
    for (std::size_t k = 0; k < a.cols; ++k) {
      for (std::size_t j = 0; j < b.cols; ++j) c(i, j) += a(i, k) * b(k, j);
    }
  }
  return c;
}

/// a + factor · b
inline Matrix plus(const Matrix& a, double factor, const Matrix& b) {
  Matrix c = a;
  for (std::size_t i = 0; i < c.values.size(); ++i) c.values[i] += factor * b.values[i];
  return c;
}

inline Matrix transposed(const Matrix& a) {
  Matrix b{a.cols, a.rows};
  for (std::size_t i = 0; i < a.rows; ++i) {
    for (std::size_t j = 0; j < a.cols; ++j) b(j, i) = a(i, j);
  }
  return b;
}

inline Matrix identity(std::size_t n) {
  Matrix a{n, n};
  for (std::size_t i = 0; i < n; ++i) a(i, i) = 1.0;
  return a;
}

inline double frobenius(const Matrix& a) {
  double sum = 0.0;
  for (const double value : a.values) sum += value * value;
  return std::sqrt(sum);
}

/// By Gauss and Jordan with row exchanges.
inline Matrix inverse(Matrix a) {
  const std::size_t n = a.rows;
  Matrix b = identity(n);
  for (std::size_t k = 0; k < n; ++k) {
    std::size_t pivot = k;
    for (std::size_t i = k; i < n; ++i) {
      if (std::fabs(a(i, k)) > std::fabs(a(pivot, k))) pivot = i;
    }
    for (std::size_t j = 0; j < n; ++j) {
      std::swap(a(k, j), a(pivot, j));
      std::swap(b(k, j), b(pivot, j));
    }
    const double scale = 1.0 / a(k, k);
    for (std::size_t j = 0; j < n; ++j) {
      a(k, j) *= scale;
      b(k, j) *= scale;
    }
    for (std::size_t i = 0; i < n; ++i) {
      if (i == k) continue;
      const double factor = a(i, k);
      for (std::size_t j = 0; j < n; ++j) {
        a(i, j) -= factor * a(k, j);
        b(i, j) -= factor * b(k, j);
      }
    }
  }
  return b;
}

/// Independent standard normals (Box and Muller), the same everywhere for the same stream.
inline Matrix normals(std::size_t rows, std::size_t cols, std::uint32_t stream) {
  const Philox draw{11, RandomPurpose::probe, stream, 0};
  Matrix a{rows, cols};
  for (std::size_t i = 0; i < a.values.size(); ++i) {
    const auto words = draw(i);
    a.values[i] = std::sqrt(-2.0 * std::log(open_unit(words[0]))) *
                  std::cos(2.0 * std::numbers::pi * open_unit(words[1]));
  }
  return a;
}

/// Orthonormal columns from normals, by Gram and Schmidt done twice.
inline Matrix random_orthogonal(std::size_t n, std::uint32_t stream) {
  Matrix q = transposed(normals(n, n, stream));
  for (std::size_t i = 0; i < n; ++i) {
    for (int pass = 0; pass < 2; ++pass) {
      for (std::size_t k = 0; k < i; ++k) {
        double dot = 0.0;
        for (std::size_t j = 0; j < n; ++j) dot += q(i, j) * q(k, j);
        for (std::size_t j = 0; j < n; ++j) q(i, j) -= dot * q(k, j);
      }
    }
    double norm = 0.0;
    for (std::size_t j = 0; j < n; ++j) norm += q(i, j) * q(i, j);
    for (std::size_t j = 0; j < n; ++j) q(i, j) /= std::sqrt(norm);
  }
  return transposed(q);
}

/// Block-diagonal and normal: each λ with a positive imaginary part stands for itself and its
/// conjugate.
inline Matrix with_eigenvalues(const std::vector<std::complex<double>>& eigenvalues) {
  std::size_t n = 0;
  for (const auto& value : eigenvalues) n += value.imag() == 0.0 ? 1u : 2u;
  Matrix a{n, n};
  std::size_t k = 0;
  for (const auto& value : eigenvalues) {
    a(k, k) = value.real();
    if (value.imag() != 0.0) {
      a(k, k + 1) = -value.imag();
      a(k + 1, k) = value.imag();
      a(k + 1, k + 1) = value.real();
      ++k;
    }
    ++k;
  }
  return a;
}

/// rows a^T + bias: each row x becomes a x + b.
inline Matrix apply(const Matrix& a, const Matrix& rows, double bias = 0.0) {
  Matrix out = rows * transposed(a);
  for (std::size_t i = 0; i < out.rows; ++i) {
    for (std::size_t j = 0; j < out.cols; ++j) out(i, j) += bias * static_cast<double>(j + 1);
  }
  return out;
}

inline Matrix centered(Matrix rows) {
  for (std::size_t j = 0; j < rows.cols; ++j) {
    double mean = 0.0;
    for (std::size_t i = 0; i < rows.rows; ++i) mean += rows(i, j);
    mean /= static_cast<double>(rows.rows);
    for (std::size_t i = 0; i < rows.rows; ++i) rows(i, j) -= mean;
  }
  return rows;
}

inline std::vector<double> means(const Matrix& rows) {
  std::vector<double> mean(rows.cols);
  for (std::size_t j = 0; j < rows.cols; ++j) {
    for (std::size_t i = 0; i < rows.rows; ++i) mean[j] += rows(i, j);
    mean[j] /= static_cast<double>(rows.rows);
  }
  return mean;
}

/// The moments of rows in double, straight from their definition.
inline PairMoments moments_of(const Matrix& x, const Matrix& y) {
  PairMoments moments{x.cols};
  moments.samples = static_cast<std::int64_t>(x.rows);
  moments.mean_x = means(x);
  moments.mean_y = means(y);
  const Matrix xc = centered(x);
  const Matrix yc = centered(y);
  const auto covariance = [&](const Matrix& a, const Matrix& b) {
    Matrix c = transposed(a) * b;
    for (double& value : c.values) value /= static_cast<double>(x.rows - 1);
    return c.values;
  };
  moments.s = covariance(xc, xc);
  moments.c = covariance(yc, xc);
  moments.t = covariance(yc, yc);
  return moments;
}

/// The moments that y = a x + noise has exactly, where x is white.
inline PairMoments moments_of_operator(const Matrix& a, double noise = 0.0,
                                       std::int64_t samples = 1 << 20) {
  PairMoments moments{a.rows};
  moments.samples = samples;
  moments.s = identity(a.rows).values;
  moments.c = a.values;
  moments.t = plus(a * transposed(a), noise * noise, identity(a.rows)).values;
  return moments;
}

inline std::vector<float> as_floats(const Matrix& a) { return {a.values.begin(), a.values.end()}; }

}  // namespace ballast::monitor::test
