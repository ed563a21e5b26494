#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <vector>

#include "base/error.hpp"
#include "kernels/convert.hpp"
#include "kernels/gemm/gemm_factory.hpp"
#include "kernels/gemm/gemm_table.hpp"
#include "kernels/plain_gemm.hpp"
#include "kernels/typed.hpp"
#include "kernels/values.hpp"

namespace ballast::kernels {
namespace {

struct Case {
  std::size_t m;
  std::size_t n;
  std::size_t k;
  std::size_t gap;
};

/// A matrix of 16-bit elements with `gap` NaNs after each row, which must not reach any product.
class NarrowMatrix {
 public:
  NarrowMatrix(ElementType type, std::uint32_t stream, std::size_t rows, std::size_t cols,
               std::size_t gap)
      : values_(rows * (cols + gap)), rows_{rows}, cols_{cols}, gap_{gap}, type_{type} {
    auto wide = random_values(stream, values_.size());
    for (std::size_t i = 0; i < wide.size(); ++i) {
      if (i % (cols + gap) >= cols) wide[i] = not_numbers(1)[0];
    }
    narrow(wide, {reinterpret_cast<std::byte*>(values_.data()), values_.size(), type});
  }

  [[nodiscard]] Operand operand() const {
    Operand all{
        {reinterpret_cast<const std::byte*>(values_.data()), values_.size(), type_}, rows_, cols_};
    all.stride = cols_ + gap_;
    return all;
  }

 private:
  std::vector<std::uint16_t> values_;
  std::size_t rows_;
  std::size_t cols_;
  std::size_t gap_;
  ElementType type_;
};

std::vector<std::unique_ptr<Gemm>> gemms() {
  std::vector<std::unique_ptr<Gemm>> made;
  for (const GemmLibrary library : gemm_libraries()) made.push_back(make_gemm(library));
  return made;
}

void check(const Gemm& gemm, ElementType type, const Case& size, Transpose transpose_a,
           Transpose transpose_b, Store store, std::uint32_t stream = 1) {
  const bool a_as_is = transpose_a == Transpose::no;
  const bool b_as_is = transpose_b == Transpose::no;
  const NarrowMatrix a{type, stream, a_as_is ? size.m : size.k, a_as_is ? size.k : size.m,
                       size.gap};
  const NarrowMatrix b{type, stream + 1, b_as_is ? size.k : size.n, b_as_is ? size.n : size.k,
                       size.gap ? size.gap + 2 : 0};
  const std::size_t stride = size.n + size.gap;
  auto expected = random_values(3, size.m * stride);
  auto c = expected;
  if (store == Store::overwrite) {
    for (std::size_t i = 0; i < c.size(); ++i) {
      if (i % stride < size.n) c[i] = not_numbers(1)[0];
    }
  }
  gemm.multiply(a.operand(), transpose_a, b.operand(), transpose_b,
                MatrixView<float>{c.data(), size.m, size.n, stride}, store);
  PlainGemm{}.multiply(a.operand(), transpose_a, b.operand(), transpose_b,
                       MatrixView<float>{expected.data(), size.m, size.n, stride}, store, 1.0f);
  const double rounding = 1e-6 + 1e-8 * std::sqrt(static_cast<double>(size.k));
  EXPECT_LE(relative_error(c, as_double(expected)), rounding)
      << gemm.description() << " " << name_of(type) << " m " << size.m << " n " << size.n << " k "
      << size.k << " gap " << size.gap << " transposes " << !a_as_is << !b_as_is << " store "
      << (store == Store::add ? "add" : "overwrite");
}

TEST(NarrowGemm, EveryTransposeStoreStrideAndOddSizeAgreesWithLoopsInDouble) {
  constexpr Case kCases[] = {{1, 1, 1, 0},   {1, 17, 7, 3},   {7, 1, 16, 0},      {5, 3, 1, 2},
                             {17, 16, 7, 5}, {64, 65, 17, 0}, {64, 130, 64, 448}, {33, 40, 300, 1}};
  for (const auto& gemm : gemms()) {
    for (const ElementType type : {ElementType::bf16, ElementType::fp16}) {
      for (const Case& size : kCases) {
        for (const Transpose a : {Transpose::no, Transpose::yes}) {
          for (const Transpose b : {Transpose::no, Transpose::yes}) {
            for (const Store store : {Store::overwrite, Store::add}) {
              check(*gemm, type, size, a, b, store);
            }
          }
        }
      }
    }
  }
}

TEST(NarrowGemm, ShapesThatTakeTurnsReadTheirOwnOperands) {
  for (const auto& gemm : gemms()) {
    for (const std::uint32_t stream : {1u, 10u, 20u}) {
      for (const Case& size : {Case{33, 20, 65, 0}, {20, 33, 65, 1}, {70, 100, 130, 0}}) {
        check(*gemm, ElementType::bf16, size, Transpose::no, Transpose::yes, Store::overwrite,
              stream);
        check(*gemm, ElementType::bf16, size, Transpose::yes, Transpose::no, Store::add, stream);
      }
    }
  }
}

/// Rounded once, from the same sum that an fp32 destination receives, up to its order.
TEST(NarrowGemm, ResultsOfTheOperandsTypeAreTheRoundedOnes) {
  for (const auto& gemm : gemms()) {
    for (const ElementType type : {ElementType::bf16, ElementType::fp16}) {
      for (const Case& size :
           {Case{1, 5, 3, 0}, {37, 50, 129, 3}, {65, 96, 64, 0}, {33, 70, 2000, 1}}) {
        const NarrowMatrix a{type, 1, size.m, size.k, size.gap};
        const NarrowMatrix b{type, 2, size.n, size.k, size.gap};
        std::vector<std::uint16_t> c(size.m * size.n);
        gemm->multiply(a.operand(), Transpose::no, b.operand(), Transpose::yes,
                       {{reinterpret_cast<std::byte*>(c.data()), c.size(), type}, size.m, size.n},
                       Store::overwrite);
        std::vector<float> exact(c.size());
        PlainGemm{}.multiply(a.operand(), Transpose::no, b.operand(), Transpose::yes,
                             matrix(exact.data(), size.m, size.n), Store::overwrite, 1.0f);
        std::vector<float> got(c.size());
        widen({reinterpret_cast<const std::byte*>(c.data()), c.size(), type}, got);
        for (std::size_t i = 0; i < c.size(); ++i) {
          // Half a unit in the last of 8 or 11 bits, and what sums near zero lose.
          const float ulp = type == ElementType::bf16 ? 0x1p-8f : 0x1p-11f;
          ASSERT_NEAR(got[i], exact[i], std::abs(exact[i]) * ulp * 1.001f + 2e-5f)
              << gemm->description() << " " << name_of(type) << " k " << size.k << " at " << i;
        }
      }
    }
  }
}

/// Our own: a result of few rows is made with operands in each other's place. Sums that are not
/// split run along the depth in both.
TEST(NarrowGemm, FewRowsHaveTheBitsThatTheyHaveAmongMany) {
  const auto libraries = gemm_libraries();
  if (std::ranges::find(libraries, GemmLibrary::panels) == libraries.end()) {
    GTEST_SKIP() << "this processor has no AVX-512";
  }
  const auto gemm = make_gemm(GemmLibrary::panels);
  constexpr std::size_t kMany = 301;
  constexpr std::size_t kN = 75;
  for (const std::size_t k : {65u, 1500u, 3100u}) {
    const NarrowMatrix a{ElementType::bf16, 1, kMany, k, 0};
    const NarrowMatrix b{ElementType::bf16, 2, kN, k, 0};
    const auto product = [&](std::size_t rows, ElementType type) {
      Operand some = a.operand();
      some.rows = rows;
      Typed c{rows * kN, type};
      gemm->multiply(some, Transpose::no, b.operand(), Transpose::yes, {c, rows, kN},
                     Store::overwrite);
      return c.values();
    };
    for (const ElementType type : {ElementType::fp32, ElementType::bf16}) {
      if (type == ElementType::fp32 && k > 1536) continue;
      const auto many = product(kMany, type);
      for (const std::size_t rows : {1u, 33u, 64u, 256u, 257u}) {
        const std::vector first(many.begin(),
                                many.begin() + static_cast<std::ptrdiff_t>(rows * kN));
        EXPECT_EQ(product(rows, type), first) << rows << " of depth " << k;
      }
    }
  }
}

TEST(NarrowGemm, ResultsOfAnotherTypeAreRefused) {
  const NarrowMatrix a{ElementType::bf16, 1, 3, 4, 0};
  std::vector<std::uint16_t> c(9);
  const auto gemm = make_gemm(GemmTable::shipped());
  const Destination fp16{
      {reinterpret_cast<std::byte*>(c.data()), c.size(), ElementType::fp16}, 3, 3};
  const Destination bf16{
      {reinterpret_cast<std::byte*>(c.data()), c.size(), ElementType::bf16}, 3, 3};
  EXPECT_THROW(gemm->multiply(a.operand(), Transpose::no, a.operand(), Transpose::yes, fp16,
                              Store::overwrite),
               Error);
  EXPECT_THROW(
      gemm->multiply(a.operand(), Transpose::no, a.operand(), Transpose::yes, bf16, Store::add),
      Error);
}

/// As a decoder has them whose sequence grows.
TEST(NarrowGemm, MoreShapesThanAreKeptAreStillMultiplied) {
  const auto gemm = make_gemm(GemmTable::shipped());
  constexpr std::size_t kMost = 530;
  const NarrowMatrix a{ElementType::bf16, 1, 1, 3, 0};
  const NarrowMatrix b{ElementType::bf16, 2, kMost, 3, 0};
  std::vector<float> expected(kMost);
  PlainGemm{}.multiply(a.operand(), Transpose::no, b.operand(), Transpose::yes,
                       matrix(expected.data(), 1, kMost), Store::overwrite, 1.0f);
  for (std::size_t length = 1; length <= kMost; ++length) {
    Operand some = b.operand();
    some.rows = length;
    std::vector<float> c(length);
    gemm->multiply(a.operand(), Transpose::no, some, Transpose::yes, matrix(c.data(), 1, length),
                   Store::overwrite);
    ASSERT_NEAR(c.back(), expected[length - 1], 1e-6f) << length;
  }
}

TEST(NarrowGemm, ProductsLargerThanTheRoomForWidenedOperandsAreWhole) {
  for (const auto& gemm : gemms()) {
    for (const Transpose a : {Transpose::no, Transpose::yes}) {
      const Transpose b = a == Transpose::no ? Transpose::yes : Transpose::no;
      check(*gemm, ElementType::fp16, {2, 37, 30011, 1}, a, a, Store::add);
      check(*gemm, ElementType::fp16, {37, 2, 30011, 0}, a, b, Store::overwrite);
    }
  }
}

TEST(NarrowGemm, BitsDoNotDependOnWhereTheBuffersLie) {
  constexpr std::size_t kM = 37;
  constexpr std::size_t kN = 50;
  constexpr std::size_t kK = 129;
  const NarrowMatrix a{ElementType::bf16, 1, kM, kK, 0};
  const NarrowMatrix b{ElementType::bf16, 2, kN, kK, 0};
  for (const auto& gemm : gemms()) {
    std::vector<float> first;
    for (const std::size_t shift : {0u, 1u, 3u, 16u, 21u}) {
      const auto moved = [&](const NarrowMatrix& matrix, std::vector<std::uint16_t>& room) {
        Operand operand = matrix.operand();
        const auto* from = static_cast<const std::uint16_t*>(operand.data);
        room.assign(shift, 0);
        room.insert(room.end(), from, from + operand.rows * operand.stride);
        operand.data = room.data() + shift;
        return operand;
      };
      std::vector<std::uint16_t> a_room;
      std::vector<std::uint16_t> b_room;
      std::vector<float> c(kM * kN);
      gemm->multiply(moved(a, a_room), Transpose::no, moved(b, b_room), Transpose::yes,
                     matrix(c.data(), kM, kN), Store::overwrite);
      if (first.empty()) first = c;
      EXPECT_EQ(c, first) << gemm->description() << " at a shift of " << shift;
    }
  }
}

TEST(NarrowGemm, AnEmptySumIsZero) {
  for (const auto& gemm : gemms()) {
    const Operand none{{nullptr, 0, ElementType::bf16}, 2, 0};
    std::vector<float> c(6, 2.0f);
    gemm->multiply(none, Transpose::no, none, Transpose::yes, MatrixView<float>{c.data(), 2, 2, 3},
                   Store::add);
    EXPECT_EQ(c, std::vector<float>(6, 2.0f));
    gemm->multiply(none, Transpose::no, none, Transpose::yes, MatrixView<float>{c.data(), 2, 2, 3},
                   Store::overwrite);
    EXPECT_EQ(c, (std::vector<float>{0, 0, 2, 0, 0, 2}));
  }
}

TEST(NarrowGemm, TypesThatDifferAndFactorsAreRefused) {
  const NarrowMatrix bf16{ElementType::bf16, 1, 4, 4, 0};
  const NarrowMatrix fp16{ElementType::fp16, 1, 4, 4, 0};
  std::vector<float> c(16);
  for (const auto& gemm : gemms()) {
    EXPECT_THROW(gemm->multiply(bf16.operand(), Transpose::no, fp16.operand(), Transpose::no,
                                matrix(c.data(), 4, 4), Store::add),
                 Error);
    EXPECT_THROW(gemm->multiply(bf16.operand(), Transpose::no, bf16.operand(), Transpose::no,
                                matrix(c.data(), 4, 4), Store::add, 0.5f),
                 Error);
  }
}

TEST(NarrowGemm, DescriptionsSayWhatMultipliesBf16WhereItIsNative) {
  for (const auto& gemm : gemms()) {
    EXPECT_TRUE(gemm->is_native(ElementType::fp32));
    EXPECT_FALSE(gemm->is_native(ElementType::fp16));
    EXPECT_EQ(gemm->is_native(ElementType::bf16),
              gemm->description().find("bf16 on ") != std::string::npos)
        << gemm->description();
  }
}

}  // namespace
}  // namespace ballast::kernels
