#pragma once

#include <cstddef>
#include <memory>
#include <string>

namespace ballast::kernels {

/// A borrowed row-major matrix: `rows` rows of `cols` elements, `stride`
/// elements from one row to the next.
template <class T>
struct MatrixView {
  T* data;
  std::size_t rows;
  std::size_t cols;
  std::size_t stride;
};

template <class T>
[[nodiscard]] constexpr MatrixView<T> matrix(T* data, std::size_t rows, std::size_t cols) {
  return {data, rows, cols, cols};
}

enum class Transpose { no, yes };

/// Whether a result replaces what the destination holds or is added to it.
enum class Store { overwrite, add };

/// The matrix products of one library. Every call is single-threaded, so its
/// bits do not depend on how many threads the process has.
class Gemm {
 public:
  virtual ~Gemm() = default;

  /// c = alpha · op(a) · op(b), or c += ...; c must not alias a or b.
  /// Shapes: op(a) [m, k], op(b) [k, n], c [m, n].
  virtual void multiply(MatrixView<const float> a, Transpose transpose_a, MatrixView<const float> b,
                        Transpose transpose_b, MatrixView<float> c, Store store,
                        float alpha = 1.0f) const = 0;

  /// Library, version and the instruction set it uses: part of the numerics
  /// fingerprint.
  [[nodiscard]] virtual std::string description() const = 0;
};

enum class GemmLibrary { openblas, onednn };

/// oneDNN where it was built in, OpenBLAS otherwise.
[[nodiscard]] GemmLibrary default_gemm_library();

/// Throws a usage Error when this build lacks `library`.
[[nodiscard]] std::unique_ptr<Gemm> make_gemm(GemmLibrary library);

}  // namespace ballast::kernels
