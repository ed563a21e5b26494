#pragma once

#include <string>

#include "kernels/convert.hpp"
#include "kernels/gemm/gemm.hpp"

namespace ballast {

/// Products by three loops in double: an oracle, and the same bits on every instruction set.
class PlainGemm final : public kernels::Gemm {
 public:
  void multiply(const kernels::Operand& a, kernels::Transpose transpose_a,
                const kernels::Operand& b, kernels::Transpose transpose_b,
                const kernels::Destination& c, kernels::Store store, float alpha) const override {
    const auto at = [](const kernels::Operand& matrix, kernels::Transpose transpose,
                       std::size_t row, std::size_t col) {
      const bool as_is = transpose == kernels::Transpose::no;
      const std::size_t index = as_is ? row * matrix.stride + col : col * matrix.stride + row;
      float value = 0.0f;
      const auto* data = static_cast<const std::byte*>(matrix.data);
      kernels::widen({data + index * size_of(matrix.type), 1, matrix.type}, {&value, 1});
      return static_cast<double>(value);
    };
    const std::size_t depth = transpose_a == kernels::Transpose::no ? a.cols : a.rows;
    for (std::size_t i = 0; i < c.rows; ++i) {
      for (std::size_t j = 0; j < c.cols; ++j) {
        double sum = 0.0;
        for (std::size_t k = 0; k < depth; ++k) {
          sum += at(a, transpose_a, i, k) * at(b, transpose_b, k, j);
        }
        auto* const out = static_cast<std::byte*>(c.data) + (i * c.stride + j) * size_of(c.type);
        float value = 0.0f;
        if (store == kernels::Store::add) kernels::widen({out, 1, c.type}, {&value, 1});
        value = static_cast<float>(static_cast<double>(value) + static_cast<double>(alpha) * sum);
        kernels::narrow({&value, 1}, {out, 1, c.type});
      }
    }
  }

  [[nodiscard]] bool is_native(ElementType) const override { return true; }
  [[nodiscard]] std::string description() const override { return "three loops"; }
};

}  // namespace ballast
