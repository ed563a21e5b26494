#include "monitor/spectral/lapack.hpp"

#include <algorithm>
#include <string_view>

#include "base/checked_cast.hpp"
#include "base/error.hpp"

// The Fortran interface, with the lengths of character arguments that gfortran's calls carry at
// their end. OpenBLAS brings LAPACK's routines but no header for them.
extern "C" {
void openblas_set_num_threads(int count);

void dgemm_(const char* op_a, const char* op_b, const int* m, const int* n, const int* k,
            const double* alpha, const double* a, const int* lda, const double* b, const int* ldb,
            const double* beta, double* c, const int* ldc, std::size_t, std::size_t);
void dsyrk_(const char* triangle, const char* op, const int* n, const int* k, const double* alpha,
            const double* a, const int* lda, const double* beta, double* c, const int* ldc,
            std::size_t, std::size_t);
void dsyevd_(const char* job, const char* triangle, const int* n, double* a, const int* lda,
             double* w, double* work, const int* lwork, int* iwork, const int* liwork, int* info,
             std::size_t, std::size_t);
void dgeev_(const char* job_left, const char* job_right, const int* n, double* a, const int* lda,
            double* wr, double* wi, double* vl, const int* ldvl, double* vr, const int* ldvr,
            double* work, const int* lwork, int* info, std::size_t, std::size_t);
void dgesdd_(const char* job, const int* m, const int* n, double* a, const int* lda, double* s,
             double* u, const int* ldu, double* vt, const int* ldvt, double* work, const int* lwork,
             int* iwork, int* info, std::size_t);
void dposv_(const char* triangle, const int* n, const int* columns, double* a, const int* lda,
            double* b, const int* ldb, int* info, std::size_t);
void dgeqrf_(const int* m, const int* n, double* a, const int* lda, double* tau, double* work,
             const int* lwork, int* info);
void dorgqr_(const int* m, const int* n, const int* k, double* a, const int* lda, const double* tau,
             double* work, const int* lwork, int* info);
}

namespace ballast::monitor::lapack {

namespace {

constexpr int kQuery = -1;

int size(std::size_t value) { return ballast::checked_cast<int>(value); }

const char* flag(Op op) { return op == Op::plain ? "N" : "T"; }

/// LAPACK names a bad argument by a negative code: that is our mistake. A positive code says that
/// the matrix had no answer.
Outcome outcome(std::string_view routine, int info) {
  if (info < 0) throw internal_error("LAPACK's {} refused its argument {}", routine, -info);
  return info == 0 ? Outcome::converged : Outcome::failed;
}

void require(bool fits, std::string_view what) {
  if (!fits) throw internal_error("a matrix or workspace is too small for {}", what);
}

}  // namespace

void use_one_thread() { openblas_set_num_threads(1); }

void multiply(ProductShape shape, const Factor& a, const Factor& b, std::span<double> c,
              Store store) {
  const auto [m, n, k] = shape;
  if (m == 0 || n == 0) return;
  require(a.values.size() >= m * k && b.values.size() >= k * n && c.size() >= m * n, "a product");
  const int rows = size(m), columns = size(n), depth = size(k);
  const int lda = size(a.rows), ldb = size(b.rows);
  const double alpha = 1.0, beta = store == Store::add ? 1.0 : 0.0;
  dgemm_(flag(a.op), flag(b.op), &rows, &columns, &depth, &alpha, a.values.data(), &lda,
         b.values.data(), &ldb, &beta, c.data(), &rows, 1, 1);
}

void multiply_by_own_transpose(std::size_t n, std::size_t k, std::span<const double> a,
                               std::span<double> c, Store store) {
  require(a.size() >= n * k && c.size() >= n * n, "a symmetric product");
  const int rows = size(n), depth = size(k);
  const double alpha = 1.0, beta = store == Store::add ? 1.0 : 0.0;
  dsyrk_("U", "N", &rows, &depth, &alpha, a.data(), &rows, &beta, c.data(), &rows, 1, 1);
}

Workspace::Workspace(std::size_t rows, std::size_t columns) {
  if (columns == 0 || columns > rows) {
    throw internal_error("no workspace for matrices of {} × {}", rows, columns);
  }
  use_one_thread();
  const int m = size(rows), n = size(columns);
  int info = 0;
  int integers = 0;
  double best = 0.0;
  std::size_t reals = 1;
  const auto note = [&](std::string_view routine) {
    static_cast<void>(outcome(routine, info));
    reals = std::max(reals, static_cast<std::size_t>(best));
  };
  dsyevd_("V", "U", &n, nullptr, &n, nullptr, &best, &kQuery, &integers, &kQuery, &info, 1, 1);
  note("dsyevd");
  dgeev_("V", "V", &n, nullptr, &n, nullptr, nullptr, nullptr, &n, nullptr, &n, &best, &kQuery,
         &info, 1, 1);
  note("dgeev");
  const int one = 1;
  dgesdd_("N", &n, &n, nullptr, &n, nullptr, nullptr, &one, nullptr, &one, &best, &kQuery,
          &integers, &info, 1);
  note("dgesdd");
  dgeqrf_(&m, &n, nullptr, &m, nullptr, &best, &kQuery, &info);
  note("dgeqrf");
  dorgqr_(&m, &n, &n, nullptr, &m, nullptr, &best, &kQuery, &info);
  note("dorgqr");
  // dsyevd's needs grow steeply with n and are stated for each n; smaller problems fit.
  reals_.resize(std::max(reals, 1 + 6 * columns + 2 * columns * columns));
  integers_.resize(8 * columns + 3);
  reflectors_.resize(2 * columns);
}

Outcome symmetric_eigen(std::size_t n, std::span<double> a, std::span<double> eigenvalues,
                        Workspace& workspace) {
  require(a.size() >= n * n && eigenvalues.size() >= n, "dsyevd");
  const int order = size(n);
  const int reals = size(workspace.reals().size()), integers = size(workspace.integers().size());
  int info = 0;
  dsyevd_("V", "U", &order, a.data(), &order, eigenvalues.data(), workspace.reals().data(), &reals,
          workspace.integers().data(), &integers, &info, 1, 1);
  return outcome("dsyevd", info);
}

Outcome general_eigen(std::size_t n, std::span<double> a, const GeneralEigen& out,
                      Workspace& workspace) {
  require(a.size() >= n * n && out.left.size() >= n * n && out.right.size() >= n * n &&
              out.real.size() >= n && out.imaginary.size() >= n,
          "dgeev");
  const int order = size(n), reals = size(workspace.reals().size());
  int info = 0;
  dgeev_("V", "V", &order, a.data(), &order, out.real.data(), out.imaginary.data(), out.left.data(),
         &order, out.right.data(), &order, workspace.reals().data(), &reals, &info, 1, 1);
  return outcome("dgeev", info);
}

Outcome singular_values(std::size_t n, std::span<double> a, std::span<double> values,
                        Workspace& workspace) {
  require(a.size() >= n * n && values.size() >= n && workspace.integers().size() >= 8 * n,
          "dgesdd");
  const int order = size(n), reals = size(workspace.reals().size()), one = 1;
  int info = 0;
  double unused = 0.0;
  dgesdd_("N", &order, &order, a.data(), &order, values.data(), &unused, &one, &unused, &one,
          workspace.reals().data(), &reals, workspace.integers().data(), &info, 1);
  return outcome("dgesdd", info);
}

Outcome solve_positive(std::size_t n, std::span<double> a, std::span<double> b) {
  require(a.size() >= n * n && b.size() >= n, "a system of equations");
  use_one_thread();
  const int order = size(n), columns = 1;
  int info = 0;
  dposv_("U", &order, &columns, a.data(), &order, b.data(), &order, &info, 1);
  return outcome("dposv", info);
}

void orthonormalize_columns(std::size_t rows, std::size_t columns, std::span<double> a,
                            Workspace& workspace) {
  require(
      columns <= rows && a.size() >= rows * columns && workspace.reflectors().size() >= 2 * columns,
      "dgeqrf");
  const int m = size(rows), n = size(columns), reals = size(workspace.reals().size());
  const auto tau = workspace.reflectors().first(columns);
  const auto signs = workspace.reflectors().subspan(columns, columns);
  int info = 0;
  dgeqrf_(&m, &n, a.data(), &m, tau.data(), workspace.reals().data(), &reals, &info);
  static_cast<void>(outcome("dgeqrf", info));
  for (std::size_t j = 0; j < columns; ++j) signs[j] = a[j + j * rows] < 0.0 ? -1.0 : 1.0;
  dorgqr_(&m, &n, &n, a.data(), &m, tau.data(), workspace.reals().data(), &reals, &info);
  static_cast<void>(outcome("dorgqr", info));
  for (std::size_t j = 0; j < columns; ++j) {
    for (double& value : a.subspan(j * rows, rows)) value *= signs[j];
  }
}

}  // namespace ballast::monitor::lapack
