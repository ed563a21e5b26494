#pragma once

#include <string>

#include "kernels/gemm.hpp"

namespace ballast {

/// Products by three loops in double: an oracle, and the same bits on every instruction set.
class PlainGemm final : public kernels::Gemm {
 public:
  void multiply(kernels::MatrixView<const float> a, kernels::Transpose transpose_a,
                kernels::MatrixView<const float> b, kernels::Transpose transpose_b,
                kernels::MatrixView<float> c, kernels::Store store, float alpha) const override {
    const auto at = [](const auto& matrix, kernels::Transpose transpose, std::size_t row,
                       std::size_t col) {
      const bool as_is = transpose == kernels::Transpose::no;
      return static_cast<double>(as_is ? matrix.data[row * matrix.stride + col]
                                       : matrix.data[col * matrix.stride + row]);
    };
    const std::size_t depth = transpose_a == kernels::Transpose::no ? a.cols : a.rows;
    for (std::size_t i = 0; i < c.rows; ++i) {
      for (std::size_t j = 0; j < c.cols; ++j) {
        double sum = 0.0;
        for (std::size_t k = 0; k < depth; ++k) {
          sum += at(a, transpose_a, i, k) * at(b, transpose_b, k, j);
        }
        float& out = c.data[i * c.stride + j];
        const double before = store == kernels::Store::add ? static_cast<double>(out) : 0.0;
        out = static_cast<float>(before + static_cast<double>(alpha) * sum);
      }
    }
  }

  [[nodiscard]] std::string description() const override { return "three loops"; }
};

}  // namespace ballast
