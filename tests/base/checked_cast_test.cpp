#include "base/checked_cast.hpp"

#include <cstdint>
#include <gtest/gtest.h>
#include <limits>

namespace ballast {
namespace {

template <class To, class From>
bool keeps(From value) {
  try {
    return static_cast<From>(checked_cast<To>(value)) == value;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::internal);
    return false;
  }
}

TEST(CheckedCast, KeepsWhatFits) {
  EXPECT_TRUE(keeps<int>(std::size_t{0}));
  EXPECT_TRUE(keeps<int>(std::size_t{2147483647}));
  EXPECT_TRUE(keeps<std::int8_t>(-128));
  EXPECT_TRUE(keeps<std::uint64_t>(std::numeric_limits<std::int64_t>::max()));
  static_assert(checked_cast<std::uint8_t>(255) == 255);
}

TEST(CheckedCast, RefusesWhatDoesNot) {
  EXPECT_FALSE(keeps<int>(std::size_t{2147483648}));
  EXPECT_FALSE(keeps<std::int8_t>(128));
  EXPECT_FALSE(keeps<std::uint8_t>(256));
  EXPECT_FALSE(keeps<std::uint32_t>(std::int64_t{1} << 32));
}

TEST(CheckedCast, RefusesAChangeOfSignThatKeepsAllBits) {
  EXPECT_FALSE(keeps<unsigned>(-1));
  EXPECT_FALSE(keeps<std::size_t>(std::int64_t{-1}));
  EXPECT_FALSE(keeps<std::int64_t>(std::numeric_limits<std::uint64_t>::max()));
}

TEST(CheckedCast, NamesTheValue) {
  try {
    std::ignore = checked_cast<int>(std::int64_t{5'000'000'000});
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_NE(std::string{error.what()}.find("5000000000"), std::string::npos);
  }
}

}  // namespace
}  // namespace ballast
