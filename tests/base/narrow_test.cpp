#include "base/narrow.hpp"

#include <cstdint>
#include <gtest/gtest.h>
#include <limits>

namespace ballast {
namespace {

template <class To, class From>
bool keeps(From value) {
  try {
    return static_cast<From>(narrow<To>(value)) == value;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::internal);
    return false;
  }
}

TEST(Narrow, KeepsWhatFits) {
  EXPECT_TRUE(keeps<int>(std::size_t{0}));
  EXPECT_TRUE(keeps<int>(std::size_t{2147483647}));
  EXPECT_TRUE(keeps<std::int8_t>(-128));
  EXPECT_TRUE(keeps<std::uint64_t>(std::numeric_limits<std::int64_t>::max()));
  static_assert(narrow<std::uint8_t>(255) == 255);
}

TEST(Narrow, RefusesWhatDoesNot) {
  EXPECT_FALSE(keeps<int>(std::size_t{2147483648}));
  EXPECT_FALSE(keeps<std::int8_t>(128));
  EXPECT_FALSE(keeps<std::uint8_t>(256));
  EXPECT_FALSE(keeps<std::uint32_t>(std::int64_t{1} << 32));
}

TEST(Narrow, RefusesAChangeOfSignThatKeepsAllBits) {
  EXPECT_FALSE(keeps<unsigned>(-1));
  EXPECT_FALSE(keeps<std::size_t>(std::int64_t{-1}));
  EXPECT_FALSE(keeps<std::int64_t>(std::numeric_limits<std::uint64_t>::max()));
}

TEST(Narrow, NamesTheValue) {
  try {
    std::ignore = narrow<int>(std::int64_t{5'000'000'000});
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_NE(std::string{error.what()}.find("5000000000"), std::string::npos);
  }
}

}  // namespace
}  // namespace ballast
