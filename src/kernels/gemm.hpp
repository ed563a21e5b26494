#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "tensor/element.hpp"

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

/// A matrix that a product reads, its element type known at run time.
struct Operand {
  const void* data;
  std::size_t rows;
  std::size_t cols;
  std::size_t stride;
  ElementType type = ElementType::fp32;

  Operand(const MatrixView<const float>& m)
      : data{m.data}, rows{m.rows}, cols{m.cols}, stride{m.stride} {}
  Operand(const MatrixView<float>& m)
      : data{m.data}, rows{m.rows}, cols{m.cols}, stride{m.stride} {}
  /// Dense rows.
  Operand(ConstElements values, std::size_t row_count, std::size_t col_count)
      : data{values.data()},
        rows{row_count},
        cols{col_count},
        stride{col_count},
        type{values.type()} {}
};

enum class Transpose { no, yes };

/// Whether a result replaces what the destination holds or is added to it.
enum class Store { overwrite, add };

/// The matrix products of one library. Every call is single-threaded, so its
/// bits do not depend on how many threads the process has.
class Gemm {
 public:
  virtual ~Gemm() = default;

  /// c = alpha · op(a) · op(b), or c += ...; c must not alias a or b.
  /// Shapes: op(a) [m, k], op(b) [k, n], c [m, n]. Both operands are of one type; products are
  /// summed in fp32 whatever it is. Narrow operands take alpha = 1 only.
  virtual void multiply(const Operand& a, Transpose transpose_a, const Operand& b,
                        Transpose transpose_b, MatrixView<float> c, Store store,
                        float alpha = 1.0f) const = 0;

  /// Whether this processor multiplies `type` itself; otherwise operands are widened to fp32 first.
  [[nodiscard]] virtual bool is_native(ElementType type) const = 0;

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
