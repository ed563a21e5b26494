#include "monitor/signals/stream_signals.hpp"

#include <array>
#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <vector>

#include "base/error.hpp"

namespace ballast::monitor {
namespace {

constexpr std::size_t kDim = 3;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// Two blocks; rows 1 and 3 of a micro-batch of four tokens are kept.
ProbeRows two_tokens() {
  static constexpr std::array<std::uint32_t, 2> kTokens{1, 3};
  ProbeRows rows{2, kDim, 5};
  rows.select(kTokens);
  rows.keep(0, std::vector<float>{9, 9, 9, 1, 0, 2, 9, 9, 9, 0, -2, 0});
  rows.keep(1, std::vector<float>{9, 9, 9, 1, 3, 2, 9, 9, 9, 4, -2, 0});
  rows.keep(2, std::vector<float>{9, 9, 9, 1, 3, 2, 9, 9, 9, 4, -2, 0});
  rows.keep_logit(0, 3.0f);
  rows.keep_logit(1, -0.5f);
  rows.keep_logit(1, -2.0f);
  return rows;
}

StreamSignals signals_of(const ProbeRows& rows) {
  StreamSums sums{rows.layers(), rows.dim()};
  sums.measure(rows);
  StreamSignals signals;
  sums.write(signals);
  return signals;
}

TEST(StreamSignals, AreThoseOfTheKeptTokens) {
  const StreamSignals signals = signals_of(two_tokens());
  EXPECT_EQ(signals.tokens, 2u);
  // Squares 1, 4, 4 and fourths 1, 16, 16 of six elements.
  EXPECT_DOUBLE_EQ(signals.rms[0], std::sqrt(9.0 / 6.0));
  EXPECT_DOUBLE_EQ(signals.kurtosis[0], (33.0 / 6.0) / (1.5 * 1.5));
  EXPECT_DOUBLE_EQ(signals.rms[2], std::sqrt(34.0 / 6.0));
  EXPECT_DOUBLE_EQ(signals.update[0], std::sqrt(25.0 / 9.0));
  EXPECT_EQ(signals.update[1], 0.0);
  EXPECT_EQ(signals.attention_logit, (std::vector<double>{3.0, -0.5}));
}

TEST(StreamSignals, OfAStreamThatIsNotFiniteAreNot) {
  static constexpr std::array<std::uint32_t, 1> kToken{0};
  ProbeRows rows = two_tokens();
  rows.select(kToken);
  rows.keep(0, std::vector<float>{1, 1, 1});
  rows.keep(1, std::vector<float>{1, kInfinity, 1});
  rows.keep(2, std::vector<float>{1, 1, 1});
  rows.keep_logit(0, std::nanf(""));
  rows.keep_logit(0, 8.0f);
  const StreamSignals signals = signals_of(rows);
  EXPECT_TRUE(std::isfinite(signals.rms[0]));
  EXPECT_FALSE(std::isfinite(signals.rms[1]));
  EXPECT_FALSE(std::isfinite(signals.update[0]));
  EXPECT_TRUE(std::isnan(signals.attention_logit[0]));
}

TEST(ProbeRows, RefuseMoreTokensThanTheyHaveRoomFor) {
  static constexpr std::array<std::uint32_t, 4> kTokens{0, 1, 2, 3};
  ProbeRows rows = two_tokens();
  EXPECT_THROW(rows.select(kTokens), Error);
}

TEST(ProbeRows, KnowWhereMicroBatchesEnd) {
  static constexpr std::array<std::uint32_t, 3> kTokens{0, 1, 2};
  ProbeRows rows = two_tokens();
  rows.select({});
  rows.select(kTokens);
  EXPECT_EQ(
      std::vector<std::size_t>(rows.micro_batch_ends().begin(), rows.micro_batch_ends().end()),
      (std::vector<std::size_t>{2, 5}));
  rows.clear();
  EXPECT_TRUE(rows.micro_batch_ends().empty());
  EXPECT_EQ(rows.logits()[0], -kInfinity);
}

}  // namespace
}  // namespace ballast::monitor
