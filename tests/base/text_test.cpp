#include "base/text.hpp"

#include <array>
#include <cstdint>
#include <gtest/gtest.h>
#include <limits>
#include <string>

namespace ballast {
namespace {

TEST(Nearest, FindsTheLikelySlip) {
  const std::array<std::string, 4> keys{"optim.lr", "optim.clip", "model.heads", "model.layers"};
  EXPECT_EQ(nearest("optim.lrr", keys), "optim.lr");
  EXPECT_EQ(nearest("model.head", keys), "model.heads");
  EXPECT_EQ(nearest("model.lyaers", keys), "model.layers");
  EXPECT_EQ(nearest("optim.clip", keys), "optim.clip");
}

TEST(Nearest, SaysNothingWhenNothingIsNear) {
  const std::array<std::string, 2> keys{"optim.lr", "model.heads"};
  EXPECT_EQ(nearest("checkpoint.every", keys), "");
  EXPECT_EQ(nearest("xyz", keys), "");
  EXPECT_EQ(nearest("word", {}), "");
}

/// Two slips are taken in a short word, a third of its length in a long one; the first of equals
/// wins.
TEST(Nearest, LimitsTheDistance) {
  const std::array<std::string, 2> keys{"abcd", "abce"};
  EXPECT_EQ(nearest("abxy", keys), "abcd");
  EXPECT_EQ(nearest("axyz", keys), "");
  EXPECT_EQ(nearest("ab", keys), "abcd");
  EXPECT_EQ(nearest("a", keys), "");
  EXPECT_EQ(nearest("abcdxy", keys), "abcd");
  EXPECT_EQ(nearest("abcdxyz", keys), "");
  const std::array<std::string, 1> longer{"abcdefghijkl"};
  EXPECT_EQ(nearest("abcdefghWXYZ", longer), "abcdefghijkl");
  EXPECT_EQ(nearest("abcdefgVWXYZ", longer), "");
}

TEST(WithThousands, GroupsDigits) {
  EXPECT_EQ(with_thousands(0), "0");
  EXPECT_EQ(with_thousands(999), "999");
  EXPECT_EQ(with_thousands(1000), "1,000");
  EXPECT_EQ(with_thousands(29'499'904), "29,499,904");
  EXPECT_EQ(with_thousands(std::numeric_limits<std::uint64_t>::max()),
            "18,446,744,073,709,551,615");
}

TEST(HumanBytes, ChoosesTheUnit) {
  EXPECT_EQ(human_bytes(0), "0 B");
  EXPECT_EQ(human_bytes(1023), "1023 B");
  EXPECT_EQ(human_bytes(1024), "1.0 KiB");
  EXPECT_EQ(human_bytes(4198), "4.1 KiB");
  EXPECT_EQ(human_bytes(std::uint64_t{3} << 30), "3.0 GiB");
  EXPECT_EQ(human_bytes(std::uint64_t{5000} << 40), "5000.0 TiB");
}

TEST(HumanDuration, ChoosesTheUnit) {
  EXPECT_EQ(human_duration(-3.0), "0 s");
  EXPECT_EQ(human_duration(8.4), "8 s");
  EXPECT_EQ(human_duration(59.4), "59 s");
  EXPECT_EQ(human_duration(59.6), "1 min 00 s");
  EXPECT_EQ(human_duration(185.0), "3 min 05 s");
  EXPECT_EQ(human_duration(3599.6), "1 h 00 min");
  EXPECT_EQ(human_duration(8040.0), "2 h 14 min");
}

TEST(Excerpt, IsOneShortHarmlessLine) {
  EXPECT_EQ(excerpt(""), "");
  EXPECT_EQ(excerpt("plain, größer, \xF0\x9F\x98\x80"), "plain, größer, \xF0\x9F\x98\x80");
  EXPECT_EQ(excerpt(std::string_view{"a\nb\tc\r\x1b[31m\0\x7f", 13}),
            "a\\nb\\tc\\r\\x1b[31m\\x00\\x7f");
  EXPECT_EQ(excerpt("\xff\xc3 \xe2\x82"), "\\xff\\xc3 \\xe2\\x82");
  EXPECT_EQ(excerpt("\xc2\x9b"
                    "31m"),
            "\\xc2\\x9b31m")
      << "a control character of eight bits";
  EXPECT_EQ(excerpt(std::string(80, 'x')), std::string(80, 'x'));
  EXPECT_EQ(excerpt(std::string(81, 'x')), std::string(80, 'x') + "...");
  EXPECT_EQ(excerpt("aß", 2), "a...") << "no half characters";
}

TEST(Nearest, OfAnEndlessWordIsNone) {
  const std::vector<std::string> names{"optim.lr"};
  EXPECT_EQ(nearest(std::string(4 << 20, 'x'), names), "");
}

}  // namespace
}  // namespace ballast
