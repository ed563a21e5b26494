#include "fsdp/bf16_in_place.hpp"

#include <cstring>
#include <gtest/gtest.h>
#include <vector>

#include "kernels/convert.hpp"

namespace ballast::fsdp {
namespace {

std::vector<float> some_values(std::size_t count) {
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) {
    values[i] = static_cast<float>(i + 1) * (i % 2 == 0 ? 1.0009f : -3.3e-7f);
  }
  return values;
}

TEST(Bf16InPlace, PacksWhatNarrowRoundsAndUnpacksIt) {
  for (const std::size_t count : {1u, 2u, 2047u, 2048u, 2049u, 9999u}) {
    auto values = some_values(count);
    std::vector<std::uint16_t> expected(count);
    const Elements rounded{reinterpret_cast<std::byte*>(expected.data()), count, ElementType::bf16};
    kernels::narrow(values, rounded);
    const auto packed = pack_bf16(values);
    ASSERT_EQ(packed.size(), 2 * count);
    EXPECT_EQ(packed.data(), reinterpret_cast<const std::byte*>(values.data()) + 2 * count);
    EXPECT_EQ(std::memcmp(packed.data(), expected.data(), packed.size()), 0) << count;
    unpack_bf16(values);
    std::vector<float> widened(count);
    kernels::widen(rounded, widened);
    EXPECT_EQ(values, widened) << count;
  }
}

}  // namespace
}  // namespace ballast::fsdp
