#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "kernels/gemm/gemm.hpp"

namespace ballast::kernels {

/// The sizes of one product: op(a) [m, k], op(b) [k, n], c [m, n].
struct GemmShape {
  std::size_t m;
  std::size_t n;
  std::size_t k;
};

/// A product whose operands fit together, none of its sizes zero.
struct Product {
  GemmShape shape;
  Operand a;
  Transpose transpose_a;
  Operand b;
  Transpose transpose_b;
  Destination c;
  Store store;
  float alpha;
};

/// The sizes of a product of these; throws an internal Error if they do not fit together.
[[nodiscard]] GemmShape checked_shape(const Operand& a, Transpose transpose_a, const Operand& b,
                                      Transpose transpose_b, const Destination& c, Store store);

/// `count` rows of x from `start` on, or columns.
[[nodiscard]] Operand rows_of(const Operand& x, std::size_t start, std::size_t count);
[[nodiscard]] Operand cols_of(const Operand& x, std::size_t start, std::size_t count);

/// The common part of the libraries: checks operands, handles empty products, widens types that the
/// library does not multiply, and rounds to types that it does not write.
class LibraryGemm : public Gemm {
 public:
  void multiply(const Operand& a, Transpose transpose_a, const Operand& b, Transpose transpose_b,
                const Destination& c, Store store, float alpha) const final;

  /// Reserves the memory that a call with these arguments needs, so that the call allocates
  /// nothing, in any worker of a team.
  void prepare(const Operand& a, Transpose transpose_a, const Operand& b, Transpose transpose_b,
               const Destination& c, Store store) const;

  [[nodiscard]] bool is_native(ElementType type) const override {
    return type == ElementType::fp32;
  }

 protected:
  virtual void multiply_fp32(const Product& product) const = 0;
  /// Called only with types other than fp32 for which is_native is true; c may have that type too.
  virtual void multiply_narrow(const Product& product) const;
  /// Prepares for multiply_narrow.
  virtual void prepare_narrow(const Product&) const {}

 private:
  void multiply_widened(const Product& product) const;
  void multiply_rounded(const Product& product) const;

  mutable std::vector<float> widened_a_, widened_b_, rounded_c_;
};

/// fp32 elements that one operand of a widened product may take at a time: 4 MiB. Both grow beyond
/// it only where a single row of op(a) or column of op(b) is longer, since no sum is split.
inline constexpr std::size_t kWidenedPanel = std::size_t{1} << 20;

[[nodiscard]] std::unique_ptr<LibraryGemm> make_openblas_gemm();
#ifdef BALLAST_HAVE_ONEDNN
[[nodiscard]] std::unique_ptr<LibraryGemm> make_onednn_gemm();
#endif

}  // namespace ballast::kernels
