#include "kernels/rope.hpp"

#include <gtest/gtest.h>

#include "kernels/typed.hpp"
#include "kernels/values.hpp"
#include "reference/kernels.hpp"

namespace ballast::kernels {
namespace {

constexpr double kBase = 10000.0;
constexpr std::size_t kHeadDims[] = {2, 6, 16, 34, 64, 130};

TEST(RopeTable, AgreesWithLibm) {
  for (const std::size_t head_dim : kHeadDims) {
    const RopeTable table{4097, head_dim, {.base = kBase}};
    ASSERT_EQ(table.positions(), 4097u);
    ASSERT_EQ(table.half(), head_dim / 2);
    for (const std::size_t position : {0u, 1u, 2u, 63u, 1000u, 4096u}) {
      for (std::size_t i = 0; i < table.half(); ++i) {
        const double angle =
            static_cast<double>(position) *
            std::pow(kBase, -2.0 * static_cast<double>(i) / static_cast<double>(head_dim));
        const auto row = table.row(position);
        EXPECT_NEAR(static_cast<double>(row[i]), std::cos(angle), 6e-8);
        EXPECT_NEAR(static_cast<double>(row[table.half() + i]), std::sin(angle), 6e-8);
      }
    }
  }
}

TEST(Rope, AgreesWithTheReferenceBothWays) {
  for (const std::size_t head_dim : kHeadDims) {
    for (const std::size_t heads : {1u, 3u}) {
      const RopeTable table{500, head_dim, {.base = kBase}};
      const std::vector<std::int32_t> positions{0, 1, 2, 3, 0, 1, 499};
      const auto x = random_values(1, positions.size() * heads * head_dim);
      auto forward = x;
      rope(table, Rotation::forward, positions, heads, std::span{forward}, std::span{forward});
      EXPECT_LE(relative_error(forward, reference::rope_forward<double>(kBase, heads, head_dim,
                                                                        positions, as_double(x))),
                1e-6);
      auto backward = x;
      rope(table, Rotation::backward, positions, heads, std::span{backward}, std::span{backward});
      EXPECT_LE(relative_error(backward, reference::rope_backward<double>(kBase, heads, head_dim,
                                                                          positions, as_double(x))),
                1e-6);
    }
  }
}

TEST(Rope, RoundsFromEveryTypeToEveryType) {
  constexpr std::size_t kHeads = 3;
  const std::vector<std::int32_t> positions{0, 1, 7, 19};
  for (const std::size_t head_dim : kHeadDims) {
    const RopeTable table{20, head_dim, {.base = kBase}};
    const auto x = random_values(1, positions.size() * kHeads * head_dim);
    for (const ElementType from : kEveryType) {
      Typed stored{x, from};
      auto expected = stored.values();
      rope(table, Rotation::forward, positions, kHeads, std::span{expected}, std::span{expected});
      for (const ElementType to : kEveryType) {
        Typed turned{x.size(), to};
        rope(table, Rotation::forward, positions, kHeads, stored, turned);
        EXPECT_EQ(turned.values(), rounded_values(expected, to))
            << name_of(from) << " to " << name_of(to);
      }
      rope(table, Rotation::forward, positions, kHeads, stored, stored);
      EXPECT_EQ(stored.values(), rounded_values(expected, from)) << name_of(from) << " in place";
    }
  }
}

}  // namespace
}  // namespace ballast::kernels
