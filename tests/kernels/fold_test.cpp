#include "kernels/fold.hpp"

#include <gtest/gtest.h>
#include <vector>

#include "kernels/elementwise.hpp"
#include "kernels/values.hpp"

namespace ballast::kernels {
namespace {

/// Sources whose sum depends on the order: magnitudes from 1 to 10⁶.
std::vector<std::vector<float>> sources_of(std::size_t sources, std::size_t count) {
  std::vector<std::vector<float>> values;
  for (std::size_t s = 0; s < sources; ++s) {
    values.push_back(random_values(static_cast<std::uint32_t>(s), count, s % 3 == 1 ? 1e6 : 1.0));
  }
  return values;
}

std::vector<const float*> pointers_to(const std::vector<std::vector<float>>& values) {
  std::vector<const float*> pointers;
  for (const auto& source : values) pointers.push_back(source.data());
  return pointers;
}

TEST(Fold, AddsInOrderWithTheBitsOfOneSourceAfterAnother) {
  for (const std::size_t count : {0u, 1u, 17u, 1000u, 2048u, 2049u, 5003u}) {
    for (const std::size_t sources : {1u, 2u, 3u, 4u, 5u, 7u, 8u, 13u, 64u}) {
      const auto values = sources_of(sources, count);
      const auto before = random_values(99, count, 100.0);
      auto expected = before;
      for (const auto& source : values) accumulate(source, expected);
      auto out = before;
      fold(pointers_to(values), Store::add, out);
      EXPECT_EQ(out, expected) << sources << " sources of " << count;

      expected = values[0];
      for (std::size_t s = 1; s < sources; ++s) accumulate(values[s], expected);
      out = not_numbers(count);
      fold(pointers_to(values), Store::overwrite, out);
      EXPECT_EQ(out, expected) << sources << " sources of " << count << " over what was there";
    }
  }
}

TEST(Fold, TouchesNothingBehindTheDestination) {
  const auto values = sources_of(5, 100);
  std::vector<float> out(100, 3.0f);
  fold(pointers_to(values), Store::overwrite, std::span{out}.first(33));
  for (std::size_t i = 33; i < out.size(); ++i) ASSERT_EQ(out[i], 3.0f);
}

}  // namespace
}  // namespace ballast::kernels
