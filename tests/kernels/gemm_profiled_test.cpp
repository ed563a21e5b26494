#include "kernels/gemm/gemm_profiled.hpp"

#include <gtest/gtest.h>
#include <vector>

#include "kernels/gemm/gemm_factory.hpp"
#include "kernels/gemm/gemm_table.hpp"

namespace ballast::kernels {
namespace {

constexpr std::size_t kM = 5, kN = 7, kK = 3;

TEST(ProfiledGemm, MultipliesLikeTheOneWithinAndTellsTheShape) {
  Profile profile;
  const auto plain = make_gemm(GemmTable::shipped());
  const ProfiledGemm profiled{make_gemm(GemmTable::shipped()), profile};
  EXPECT_EQ(profiled.description(), plain->description());
  EXPECT_EQ(profiled.is_native(ElementType::bf16), plain->is_native(ElementType::bf16));

  std::vector<float> a(kM * kK), b(kK * kN), expected(kM * kN, 1.0f), result(kM * kN, 1.0f);
  for (std::size_t i = 0; i < a.size(); ++i) a[i] = 0.25f * static_cast<float>(i) - 1.0f;
  for (std::size_t i = 0; i < b.size(); ++i) b[i] = 0.5f * static_cast<float>(i % 5) - 1.0f;
  const auto multiply = [&](const Gemm& gemm, Transpose ta, Transpose tb, Store store,
                            std::vector<float>& c) {
    const auto left = ta == Transpose::no ? matrix<const float>(a.data(), kM, kK)
                                          : matrix<const float>(a.data(), kK, kM);
    const auto right = tb == Transpose::no ? matrix<const float>(b.data(), kK, kN)
                                           : matrix<const float>(b.data(), kN, kK);
    gemm.multiply(left, ta, right, tb, matrix(c.data(), kM, kN), store, 0.5f);
  };
  {
    const ProfileSpan step{&profile, Region::step};
    for (const Store store : {Store::overwrite, Store::add}) {
      for (const Transpose ta : {Transpose::no, Transpose::yes}) {
        for (const Transpose tb : {Transpose::no, Transpose::yes}) {
          multiply(*plain, ta, tb, store, expected);
          multiply(profiled, ta, tb, store, result);
          EXPECT_EQ(result, expected);
        }
      }
    }
  }
  const auto events = profile.last_steps(1);
  ASSERT_EQ(events.size(), 9u);
  const std::array<Region, 4> regions{Region::product_nn, Region::product_nt, Region::product_tn,
                                      Region::product_tt};
  for (std::size_t i = 0; i < 8; ++i) {
    const ProfileEvent& event = events[i + 1];
    EXPECT_EQ(event.region, regions[i % 4]);
    EXPECT_EQ(event.detail, (SpanDetail{kM, kN, kK, 0}));
    EXPECT_EQ(event.work.flop, 2.0 * kM * kN * kK);
    const std::size_t times_c = i < 4 ? 1 : 2;
    EXPECT_EQ(event.work.bytes, 4.0 * static_cast<double>(kM * kK + kK * kN + times_c * kM * kN));
  }
}

}  // namespace
}  // namespace ballast::kernels
