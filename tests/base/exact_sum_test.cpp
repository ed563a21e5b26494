#include "base/exact_sum.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <random>
#include <vector>

namespace ballast {
namespace {

double exact(const std::vector<double>& values) {
  ExactSum sum;
  for (const double value : values) sum.add(value);
  return sum.value();
}

std::uint64_t bits(double value) { return std::bit_cast<std::uint64_t>(value); }

/// Values over all exponents that are kept, whose floating-point sum depends on the order wildly.
std::vector<double> hostile_values(std::mt19937_64& random, std::size_t count) {
  std::uniform_real_distribution<double> mantissa{-1.0, 1.0};
  std::uniform_int_distribution<int> exponent{-440, 440};
  std::vector<double> values;
  while (values.size() < count) {
    const double value = std::ldexp(mantissa(random), exponent(random));
    values.push_back(value);
    // Most of them leave again, up to a small rest.
    if (random() % 4 != 0) values.push_back(-value * (random() % 8 == 0 ? 1.0 + 0x1p-40 : 1.0));
  }
  return values;
}

/// Correct rounding without the code under test: Shewchuk's expansions (1997), as in Python's
/// math.fsum, kept as non-overlapping partials and rounded half to even.
double reference_sum(const std::vector<double>& values) {
  std::vector<double> partials;
  for (double x : values) {
    std::size_t kept = 0;
    for (double y : partials) {
      if (std::fabs(x) < std::fabs(y)) std::swap(x, y);
      const double high = x + y;
      const double low = y - (high - x);
      if (low != 0.0) partials[kept++] = low;
      x = high;
    }
    partials.resize(kept);
    partials.push_back(x);
  }
  double high = 0.0;
  double low = 0.0;
  std::size_t n = partials.size();
  while (n > 0 && low == 0.0) {
    const double x = high;
    const double y = partials[--n];
    high = x + y;
    low = y - (high - x);
  }
  // A tie was rounded to even; if more lies on its side, the sum is beyond the tie.
  if (n > 0 && ((low < 0.0) == (partials[n - 1] < 0.0)) && low != 0.0) {
    const double doubled = low * 2.0;
    const double moved = high + doubled;
    if (doubled == moved - high) return moved;
  }
  return high;
}

TEST(ExactSum, StartsAtZero) {
  EXPECT_EQ(bits(ExactSum{}.value()), bits(0.0));
  EXPECT_EQ(bits(exact({1.5, -1.5})), bits(0.0));
  EXPECT_EQ(exact({-0.0, 0.0}), 0.0);
}

TEST(ExactSum, GivesSingleValuesBack) {
  std::mt19937_64 random{1};
  for (const double value : hostile_values(random, 2000)) EXPECT_EQ(exact({value}), value);
  const double below_limit = std::nextafter(0x1p448, 0.0);
  for (const double value : {0x1p-512, 0x1.fffffffffffffp-460, 1e100, below_limit, 0x1p447}) {
    EXPECT_EQ(exact({value}), value);
    EXPECT_EQ(exact({-value}), -value);
  }
}

TEST(ExactSum, KeepsWhatCancellationUncovers) {
  EXPECT_EQ(exact({1e100, 1.0, -1e100}), 1.0);
  EXPECT_EQ(exact({0x1p447, 0x1p-512, -0x1p447}), 0x1p-512);
  EXPECT_EQ(exact({1.0, 0x1p-60, -1.0, -0x1p-61}), 0x1p-61);
  EXPECT_EQ(exact({-0x1p447, -0x1p447, 0x1p447, 0x1p447, -3.0}), -3.0);
}

TEST(ExactSum, RoundsOnceHalfToEven) {
  constexpr double kHalf = 0x1p-53;  // half a last place of 1.0
  constexpr double kLast = 0x1p-52;
  EXPECT_EQ(exact({1.0, kHalf}), 1.0);
  EXPECT_EQ(exact({1.0 + kLast, kHalf}), 1.0 + 2 * kLast);
  EXPECT_EQ(exact({1.0, kHalf, 0x1p-500}), 1.0 + kLast);
  EXPECT_EQ(exact({1.0, kHalf, -0x1p-500}), 1.0);
  EXPECT_EQ(exact({1.0 + kLast, kHalf, -0x1p-500}), 1.0 + kLast);
  EXPECT_EQ(exact({-1.0, -kHalf}), -1.0);
  EXPECT_EQ(exact({-1.0, -kHalf, -0x1p-500}), -1.0 - kLast);
  EXPECT_EQ(exact({-1.0 - kLast, -kHalf}), -1.0 - 2 * kLast);
  // Ties at every position against the digits of 32 bits.
  for (int shift = -400; shift <= 390; ++shift) {
    const double unit = std::ldexp(1.0, shift);
    EXPECT_EQ(exact({unit, unit * kHalf}), unit) << shift;
    EXPECT_EQ(exact({unit, unit * kHalf, 0x1p-512}), unit * (1.0 + kLast)) << shift;
  }
}

TEST(ExactSum, AgreesWithAnotherExactMethod) {
  std::mt19937_64 random{2};
  for (int round = 0; round < 300; ++round) {
    const auto values = hostile_values(random, 1 + random() % 200);
    ASSERT_EQ(bits(exact(values)), bits(reference_sum(values))) << "round " << round;
  }
}

TEST(ExactSum, OrderAndGroupingChangeNothing) {
  std::mt19937_64 random{3};
  for (int round = 0; round < 50; ++round) {
    auto values = hostile_values(random, 301);
    const double expected = exact(values);
    for (std::size_t ranks = 1; ranks <= 8; ++ranks) {
      std::shuffle(values.begin(), values.end(), random);
      std::vector<ExactSum> parts(ranks);
      for (const double value : values) parts[random() % ranks].add(value);
      ExactSum merged;
      for (const auto& part : parts) merged.merge(part);
      ASSERT_EQ(bits(merged.value()), bits(expected));
    }
  }
}

TEST(ExactSum, LimbsAddLikeTheSums) {
  ExactSum first;
  ExactSum second;
  for (const double value : {1e90, -3.25, 1e-90}) first.add(value);
  for (const double value : {-1e90, std::numeric_limits<double>::infinity(), -1e-90}) {
    second.add(value);
  }
  for (std::size_t i = 0; i < ExactSum::kLimbs; ++i) first.limbs()[i] += second.limbs()[i];
  EXPECT_EQ(first.value(), -3.25);
  EXPECT_EQ(first.nonfinite(), 1);
}

TEST(ExactSum, CountsWhatItCannotAdd) {
  ExactSum sum;
  sum.add(2.0);
  for (const double value :
       {std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity(),
        std::numeric_limits<double>::quiet_NaN(), 0x1p448, -0x1p448, 1e300}) {
    sum.add(value);
  }
  EXPECT_EQ(sum.nonfinite(), 6);
  EXPECT_EQ(sum.value(), 2.0);
  ExactSum other;
  other.add(std::numeric_limits<double>::quiet_NaN());
  other.merge(sum);
  EXPECT_EQ(other.nonfinite(), 7);
  EXPECT_EQ(other.value(), 2.0);
}

TEST(ExactSum, CutsBelowItsLowestBitTowardsZero) {
  EXPECT_EQ(exact({0x1p-513}), 0.0);
  EXPECT_EQ(exact({std::numeric_limits<double>::denorm_min()}), 0.0);
  EXPECT_EQ(exact({0x1.8p-512}), 0x1p-512);
  EXPECT_EQ(exact({-0x1.8p-512}), -0x1p-512);
  // The mantissa's lowest bit lies below by 1 to 60 places.
  for (int below = 1; below <= 60; ++below) {
    const double leading = below <= 52 ? std::ldexp(1.0, 52 - 512 - below) : 0.0;
    EXPECT_EQ(exact({std::ldexp(1.0 + 0x1p-52, 52 - 512 - below)}), leading) << below;
    EXPECT_EQ(exact({-std::ldexp(1.0 + 0x1p-52, 52 - 512 - below)}), -leading) << below;
  }
}

TEST(ExactSum, ManyLargeValuesDoNotOverflow) {
  const double large = std::nextafter(0x1p448, 0.0);
  ExactSum sum;
  for (int i = 0; i < 1'000'000; ++i) sum.add(-large);
  EXPECT_EQ(sum.value(), -large * 1'000'000);
}

}  // namespace
}  // namespace ballast
