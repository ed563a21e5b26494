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

/// The sizes of a product of these; an internal Error where they don't fit together.
[[nodiscard]] GemmShape checked_shape(const Operand& a, Transpose transpose_a, const Operand& b,
                                      Transpose transpose_b, const Destination& c, Store store);

/// `count` rows of x from `start` on, or columns.
[[nodiscard]] Operand rows_of(const Operand& x, std::size_t start, std::size_t count);
[[nodiscard]] Operand cols_of(const Operand& x, std::size_t start, std::size_t count);

/// What the libraries have in common: operands are checked here, empty products need no library,
/// types that one does not multiply are widened, and results that it does not write are rounded.
class LibraryGemm : public Gemm {
 public:
  void multiply(const Operand& a, Transpose transpose_a, const Operand& b, Transpose transpose_b,
                const Destination& c, Store store, float alpha) const final;

  /// Makes room for what a call with these arguments needs besides, so that it allocates nothing,
  /// whichever worker of a team has it made.
  void prepare(const Operand& a, Transpose transpose_a, const Operand& b, Transpose transpose_b,
               const Destination& c, Store store) const;

  [[nodiscard]] bool is_native(ElementType type) const override {
    return type == ElementType::fp32;
  }

 protected:
  virtual void multiply_fp32(const Product& product) const = 0;
  /// Called with types other than fp32 for which is_native says yes; c may be of that type too.
  virtual void multiply_narrow(const Product& product) const;
  /// What multiply_narrow needs to be made beforehand.
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
