#pragma once

#include <cstddef>
#include <string>

#include "kernels/store.hpp"
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

/// A matrix that a product writes: fp32, or bf16, rounded to nearest even when a sum is complete.
struct Destination {
  void* data;
  std::size_t rows;
  std::size_t cols;
  std::size_t stride;
  ElementType type = ElementType::fp32;

  Destination(const MatrixView<float>& m)
      : data{m.data}, rows{m.rows}, cols{m.cols}, stride{m.stride} {}
  /// Dense rows.
  Destination(const Elements& values, std::size_t row_count, std::size_t col_count)
      : data{values.data()},
        rows{row_count},
        cols{col_count},
        stride{col_count},
        type{values.type()} {}
};

enum class Transpose { no, yes };

/// The matrix products of one library. Every element of a result is summed on one thread, in an
/// order that follows from the shapes alone, so the bits do not depend on the number of threads
/// that share the elements.
class Gemm {
 public:
  virtual ~Gemm() = default;

  /// c = alpha · op(a) · op(b), or c += ...; c must not alias a or b.
  /// Shapes: op(a) [m, k], op(b) [k, n], c [m, n]. Both operands have one type; products are summed
  /// in fp32 for all types. Narrow operands take alpha = 1 only; a narrow c is overwritten and of
  /// the operands' type.
  virtual void multiply(const Operand& a, Transpose transpose_a, const Operand& b,
                        Transpose transpose_b, const Destination& c, Store store,
                        float alpha = 1.0f) const = 0;

  /// Whether this processor multiplies `type` itself; otherwise operands are widened to fp32 first.
  [[nodiscard]] virtual bool is_native(ElementType type) const = 0;

  /// Library, version and the instruction set it uses: part of the numerics
  /// fingerprint.
  [[nodiscard]] virtual std::string description() const = 0;
};

}  // namespace ballast::kernels
