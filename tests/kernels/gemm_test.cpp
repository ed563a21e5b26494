#include <gtest/gtest.h>
#include <vector>

#include "base/error.hpp"
#include "kernels/gemm/gemm_factory.hpp"
#include "kernels/gemm/gemm_table.hpp"
#include "kernels/plain_gemm.hpp"
#include "kernels/values.hpp"

namespace ballast::kernels {
namespace {

/// A matrix with `gap` elements of padding after each row, which no product may touch.
struct Padded {
  std::vector<float> values;
  std::size_t rows;
  std::size_t cols;
  std::size_t stride;

  [[nodiscard]] MatrixView<const float> view() const { return {values.data(), rows, cols, stride}; }
  [[nodiscard]] MatrixView<float> view() { return {values.data(), rows, cols, stride}; }
};

Padded padded(std::uint32_t stream, std::size_t rows, std::size_t cols, std::size_t gap) {
  return {random_values(stream, rows * (cols + gap)), rows, cols, cols + gap};
}

struct Case {
  std::size_t m;
  std::size_t n;
  std::size_t k;
  std::size_t gap;
};

void check(const Gemm& gemm, const Case& size, Transpose transpose_a, Transpose transpose_b,
           Store store, float alpha) {
  const bool a_as_is = transpose_a == Transpose::no;
  const bool b_as_is = transpose_b == Transpose::no;
  const Padded a = padded(1, a_as_is ? size.m : size.k, a_as_is ? size.k : size.m, size.gap);
  const Padded b = padded(2, b_as_is ? size.k : size.n, b_as_is ? size.n : size.k, size.gap + 2);
  Padded c = padded(3, size.m, size.n, size.gap + 1);
  Padded expected = c;
  if (store == Store::overwrite) {
    for (std::size_t r = 0; r < c.rows; ++r) {
      for (std::size_t i = 0; i < c.cols; ++i) c.values[r * c.stride + i] = not_numbers(1)[0];
    }
  }
  gemm.multiply(a.view(), transpose_a, b.view(), transpose_b, c.view(), store, alpha);
  PlainGemm{}.multiply(a.view(), transpose_a, b.view(), transpose_b, expected.view(), store, alpha);
  EXPECT_LE(relative_error(c.values, as_double(expected.values)), 1e-6)
      << gemm.description() << " m " << size.m << " n " << size.n << " k " << size.k << " gap "
      << size.gap << " transposes " << !a_as_is << !b_as_is << " alpha " << alpha;
}

TEST(Gemm, EveryTransposeStoreStrideAndOddSizeAgreesWithLoopsInDouble) {
  constexpr Case kCases[] = {
      {1, 1, 1, 0},    {1, 17, 7, 3},      {7, 1, 16, 0},    {5, 3, 1, 2},     {17, 16, 7, 5},
      {64, 65, 17, 0}, {64, 130, 64, 448}, {33, 40, 300, 1}, {45, 70, 700, 0}, {40, 36, 17, 2031}};
  for (const GemmLibrary library : gemm_libraries()) {
    const auto gemm = make_gemm(library);
    for (const Case& size : kCases) {
      for (const Transpose a : {Transpose::no, Transpose::yes}) {
        for (const Transpose b : {Transpose::no, Transpose::yes}) {
          for (const Store store : {Store::overwrite, Store::add}) {
            check(*gemm, size, a, b, store, 1.0f);
            check(*gemm, size, a, b, store, -0.37f);
          }
        }
      }
    }
  }
}

TEST(Gemm, AnEmptySumIsZeroAndEmptyResultsAreLeftAlone) {
  for (const GemmLibrary library : gemm_libraries()) {
    const auto gemm = make_gemm(library);
    const std::vector<float> none(1);
    std::vector<float> c(6, 2.0f);
    const auto empty = [&](std::size_t rows, std::size_t cols) {
      return MatrixView<const float>{none.data(), rows, cols, 1};
    };
    gemm->multiply(empty(2, 0), Transpose::no, empty(0, 2), Transpose::no,
                   MatrixView<float>{c.data(), 2, 2, 3}, Store::add);
    EXPECT_EQ(c, std::vector<float>(6, 2.0f));
    gemm->multiply(empty(0, 3), Transpose::no, empty(3, 2), Transpose::no,
                   MatrixView<float>{c.data(), 0, 2, 2}, Store::overwrite);
    EXPECT_EQ(c, std::vector<float>(6, 2.0f));
    gemm->multiply(empty(2, 0), Transpose::no, empty(0, 2), Transpose::no,
                   MatrixView<float>{c.data(), 2, 2, 3}, Store::overwrite);
    EXPECT_EQ(c, (std::vector<float>{0, 0, 2, 0, 0, 2}));
  }
}

TEST(Gemm, BitsDoNotDependOnWhereTheBuffersLie) {
  constexpr std::size_t kM = 37;
  constexpr std::size_t kN = 50;
  constexpr std::size_t kK = 129;
  for (const GemmLibrary library : gemm_libraries()) {
    const auto gemm = make_gemm(library);
    std::vector<float> first;
    for (const std::size_t shift : {0u, 1u, 3u, 16u, 21u}) {
      std::vector<float> a(shift);
      std::vector<float> b(2 * shift);
      const auto a_values = random_values(1, kM * kK);
      const auto b_values = random_values(2, kN * kK);
      a.insert(a.end(), a_values.begin(), a_values.end());
      b.insert(b.end(), b_values.begin(), b_values.end());
      std::vector<float> c(3 * shift + kM * kN);
      gemm->multiply(matrix<const float>(a.data() + shift, kM, kK), Transpose::no,
                     matrix<const float>(b.data() + 2 * shift, kN, kK), Transpose::yes,
                     matrix(c.data() + 3 * shift, kM, kN), Store::overwrite);
      c.erase(c.begin(), c.begin() + static_cast<std::ptrdiff_t>(3 * shift));
      if (first.empty()) first = c;
      EXPECT_EQ(c, first) << gemm->description() << " at a shift of " << shift;
    }
  }
}

TEST(Gemm, OperandsThatDoNotFitAreNamed) {
  const auto gemm = make_gemm(GemmTable::shipped());
  std::vector<float> x(100);
  try {
    gemm->multiply(matrix<const float>(x.data(), 2, 3), Transpose::no,
                   matrix<const float>(x.data(), 4, 5), Transpose::no, matrix(x.data(), 2, 5),
                   Store::overwrite);
    FAIL() << "sizes 3 and 4 were multiplied";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::internal);
    EXPECT_STREQ(error.what(), "matrix product [2, 3] x [4, 5] does not give [2, 5]");
  }
}

TEST(Gemm, DescriptionsNameLibraryAndVersion) {
  EXPECT_TRUE(make_gemm(GemmLibrary::openblas)->description().starts_with("OpenBLAS 0."));
#ifdef BALLAST_HAVE_ONEDNN
  EXPECT_TRUE(make_gemm(GemmLibrary::onednn)->description().starts_with("oneDNN "));
#else
  EXPECT_THROW(make_gemm(GemmLibrary::onednn), Error);
#endif
  EXPECT_EQ(gemm_libraries().front(), GemmLibrary::openblas);
}

}  // namespace
}  // namespace ballast::kernels
