#pragma once

#include <cstddef>
#include <span>
#include <vector>

/// The dense linear algebra that the monitor needs, from OpenBLAS and the LAPACK inside it.
/// Matrices are column-major and dense (element (i, j) of a matrix of m rows at i + j·m), in
/// double. Nothing here allocates once its Workspace is there, and every call is single-threaded.
namespace ballast::monitor::lapack {

enum class Op { plain, transposed };
enum class Store { overwrite, add };

/// Whether an iteration converged.
enum class Outcome { converged, failed };

/// Limits OpenBLAS to the calling thread: builds with threads would split even these small
/// problems. A Workspace does so too.
void use_one_thread();

/// An operand of `rows` stored rows.
struct Factor {
  std::span<const double> values;
  std::size_t rows;
  Op op = Op::plain;
};

/// c = op(a)·op(b), or c += ...; op(a) [m, k], op(b) [k, n], c [m, n].
struct ProductShape {
  std::size_t m;
  std::size_t n;
  std::size_t k;
};
void multiply(ProductShape shape, const Factor& a, const Factor& b, std::span<double> c,
              Store store = Store::overwrite);

/// The upper triangle (i ≤ j) of c = a·a^T, or c += ...; a [n, k], c [n, n].
void multiply_by_own_transpose(std::size_t n, std::size_t k, std::span<const double> a,
                               std::span<double> c, Store store);

/// Room for the routines below, for matrices of up to `rows` × `columns` (columns ≤ rows).
class Workspace {
 public:
  Workspace(std::size_t rows, std::size_t columns);

  [[nodiscard]] std::span<double> reals() { return reals_; }
  [[nodiscard]] std::span<int> integers() { return integers_; }
  [[nodiscard]] std::span<double> reflectors() { return reflectors_; }

 private:
  std::vector<double> reals_;
  std::vector<int> integers_;
  std::vector<double> reflectors_;
};

/// Symmetric a [n, n], upper triangle read: eigenvalues ascending, and the orthonormal eigenvectors
/// as columns in place of a.
[[nodiscard]] Outcome symmetric_eigen(std::size_t n, std::span<double> a,
                                      std::span<double> eigenvalues, Workspace& workspace);

/// General a [n, n], destroyed: eigenvalues real + i·imaginary, complex ones in neighboring pairs
/// with the positive imaginary part first. Columns of `left` (u^H a = λ u^H) and `right`
/// (a v = λ v) have unit 2-norm; those of a pair hold the real and the imaginary part of the first.
struct GeneralEigen {
  std::span<double> real;
  std::span<double> imaginary;
  std::span<double> left;
  std::span<double> right;
};
[[nodiscard]] Outcome general_eigen(std::size_t n, std::span<double> a, const GeneralEigen& out,
                                    Workspace& workspace);

/// Singular values of a [n, n], descending; a is destroyed.
[[nodiscard]] Outcome singular_values(std::size_t n, std::span<double> a, std::span<double> values,
                                      Workspace& workspace);

/// Symmetric positive definite a [n, n], destroyed: the x of a·x = b in place of b [n]. Fails where
/// a is not positive definite.
[[nodiscard]] Outcome solve_positive(std::size_t n, std::span<double> a, std::span<double> b);

/// a [rows, columns], columns ≤ rows: its columns orthonormalized in order (QR), each with the sign
/// that makes the diagonal of R non-negative, so that the result is unique for full rank.
void orthonormalize_columns(std::size_t rows, std::size_t columns, std::span<double> a,
                            Workspace& workspace);

}  // namespace ballast::monitor::lapack
