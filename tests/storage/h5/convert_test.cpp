#include <array>
#include <gtest/gtest.h>
#include <limits>
#include <vector>

#include "storage/h5/element_conversion.hpp"
#include "support/bytes.hpp"
#include "support/temporary_folder.hpp"

namespace ballast::storage::h5 {
namespace {

using test::data_error_of;
using test::expect_contains;
using test::field;
using test::to_bytes;

template <class T>
T one(ElementType from, std::uint64_t bits) {
  std::array<T, 1> out{};
  convert<T>(from, to_bytes(field(bits, size_of(from))), out);
  return out[0];
}

template <class T>
std::string error_of_one(ElementType from, std::uint64_t bits) {
  return data_error_of([&] { (void)one<T>(from, bits); });
}

template <class T>
class H5Integers : public testing::Test {};
using Integers = testing::Types<std::uint8_t, std::uint16_t, std::uint32_t, std::uint64_t,
                                std::int32_t, std::int64_t>;
TYPED_TEST_SUITE(H5Integers, Integers);

/// Every stored type at its limits, and at those of what it is read as.
TYPED_TEST(H5Integers, KeepTheirValueOrAreRefused) {
  using Limits = std::numeric_limits<TypeParam>;
  const auto check = [](ElementType from, auto stored) {
    const auto bits = static_cast<std::uint64_t>(stored);
    if (std::in_range<TypeParam>(stored)) {
      EXPECT_EQ(one<TypeParam>(from, bits), static_cast<TypeParam>(stored));
    } else {
      expect_contains(error_of_one<TypeParam>(from, bits), fmt::format("the value {} is", stored));
    }
  };
  const auto check_type = [&]<class Stored>(ElementType from, Stored) {
    for (const Stored stored :
         {std::numeric_limits<Stored>::min(), Stored{0}, Stored{1},
          std::numeric_limits<Stored>::max(), static_cast<Stored>(Limits::max()),
          static_cast<Stored>(Limits::min()), static_cast<Stored>(Limits::max() / 2 + 1)}) {
      check(from, stored);
    }
  };
  check_type(ElementType::u8, std::uint8_t{});
  check_type(ElementType::u16, std::uint16_t{});
  check_type(ElementType::u32, std::uint32_t{});
  check_type(ElementType::u64, std::uint64_t{});
  check_type(ElementType::i8, std::int8_t{});
  check_type(ElementType::i16, std::int16_t{});
  check_type(ElementType::i32, std::int32_t{});
  check_type(ElementType::i64, std::int64_t{});
  expect_contains(error_of_one<TypeParam>(ElementType::f32, 0), "another kind of element");
  expect_contains(error_of_one<TypeParam>(ElementType::f64, 0), "another kind of element");
}

TEST(H5Convert, RealNumbersTakeTheTypeThatIsAskedFor) {
  const std::uint64_t half_as_double = 0x3fe0000000000000;
  const std::uint64_t half_as_float = 0x3f000000;
  EXPECT_EQ(one<float>(ElementType::f32, half_as_float), 0.5f);
  EXPECT_EQ(one<double>(ElementType::f32, half_as_float), 0.5);
  EXPECT_EQ(one<float>(ElementType::f64, half_as_double), 0.5f);
  EXPECT_EQ(one<double>(ElementType::f64, half_as_double), 0.5);
  expect_contains(error_of_one<float>(ElementType::u8, 1), "floating-point");
  expect_contains(error_of_one<double>(ElementType::i64, 1), "floating-point");
}

TEST(H5Convert, TakesAsManyBytesAsThereAreElements) {
  std::vector<std::uint32_t> out(3);
  convert<std::uint32_t>(ElementType::u16, to_bytes(field(1, 2) + field(2, 2) + field(3, 2)), out);
  EXPECT_EQ(out, (std::vector<std::uint32_t>{1, 2, 3}));
  for (const std::size_t bytes : {0u, 5u, 7u, 12u}) {
    const std::vector<std::uint8_t> stored(bytes);
    (void)data_error_of([&] { convert<std::uint32_t>(ElementType::u16, stored, out); });
  }
  convert<std::uint32_t>(ElementType::u16, {}, std::span<std::uint32_t>{});
}

}  // namespace
}  // namespace ballast::storage::h5
