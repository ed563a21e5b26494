#include "kernels/lanes/math.hpp"

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace ballast::kernels {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
// Adding 1.5 · 2^52 rounds to an integer and leaves it in the low bits of the sum.
constexpr double kRound = 0x1.8p+52;
constexpr double kLn2High = 0x1.62e42feep-1;  // 32 bits, so its products with exponents are exact
constexpr double kLn2Low = 0x1.a39ef35793c76p-33;

/// Coefficients c[0] + c[1] x + ..., lowest first.
template <std::size_t N>
double polynomial(const std::array<double, N>& coefficients, double x) {
  double sum = 0.0;
  for (std::size_t i = N; i-- > 0;) sum = sum * x + coefficients[i];
  return sum;
}

/// 1/first!, sign/(first + step)!, 1/(first + 2 step)!, ...: the Taylor series of exp, sin and cos.
template <std::size_t N>
constexpr std::array<double, N> inverse_factorials(int first, int step, double sign) {
  std::array<double, N> result{};
  double factorial = 1.0;
  int reached = 1;
  double direction = 1.0;
  for (std::size_t i = 0; i < N; ++i) {
    for (; reached <= first + static_cast<int>(i) * step; ++reached) factorial *= reached;
    result[i] = direction / factorial;
    direction *= sign;
  }
  return result;
}

double power_of_two(int exponent) {
  return std::bit_cast<double>(static_cast<std::uint64_t>(exponent + 1023) << 52);
}

/// x = quadrant · π/2 + remainder, |remainder| <= π/4.
struct Reduced {
  double remainder;
  unsigned quadrant;
};

Reduced reduce(double x) {
  constexpr double kTwoOverPi = 0x1.45f306dc9c883p-1;
  // π/2 in parts of 33 bits: their products with n are exact for |x| <= 1e6.
  constexpr double kHigh = 0x1.921fb544p+0;
  constexpr double kMiddle = 0x1.0b4611a6p-34;
  constexpr double kLow = 0x1.3198a2e037073p-69;
  const double shifted = x * kTwoOverPi + kRound;
  const double n = shifted - kRound;
  return {((x - n * kHigh) - n * kMiddle) - n * kLow,
          static_cast<unsigned>(std::bit_cast<std::uint64_t>(shifted) & 3u)};
}

double sine_of(double r) {
  static constexpr auto kSeries = inverse_factorials<9>(1, 2, -1.0);
  return r * polynomial(kSeries, r * r);
}

double cosine_of(double r) {
  static constexpr auto kSeries = inverse_factorials<9>(0, 2, -1.0);
  return polynomial(kSeries, r * r);
}

double turned(const Reduced& reduced, unsigned quarter_turns) {
  const unsigned quadrant = (reduced.quadrant + quarter_turns) & 3u;
  const double value =
      quadrant % 2 == 0 ? sine_of(reduced.remainder) : cosine_of(reduced.remainder);
  return quadrant < 2 ? value : -value;
}

}  // namespace

double portable_exp(double x) {
  static constexpr auto kSeries = inverse_factorials<14>(0, 1, 1.0);
  constexpr double kLog2E = 0x1.71547652b82fep+0;
  if (x != x) return x;
  if (x > 709.79) return kInfinity;
  if (x < -745.2) return 0.0;
  const double n = (x * kLog2E + kRound) - kRound;
  const double r = (x - n * kLn2High) - n * kLn2Low;
  // In two factors: 2^n alone leaves the range of normal numbers before e^x does.
  const int exponent = static_cast<int>(n);
  const int half = exponent / 2;
  return polynomial(kSeries, r) * power_of_two(half) * power_of_two(exponent - half);
}

double portable_log(double x) {
  // log m = 2 atanh(s) = 2 s (1 + s²/3 + s⁴/5 + ...) for m in [sqrt(1/2), sqrt(2)).
  static constexpr std::array<double, 11> kSeries{2.0,        2.0 / 3.0,  2.0 / 5.0,  2.0 / 7.0,
                                                  2.0 / 9.0,  2.0 / 11.0, 2.0 / 13.0, 2.0 / 15.0,
                                                  2.0 / 17.0, 2.0 / 19.0, 2.0 / 21.0};
  constexpr double kSqrt2 = 0x1.6a09e667f3bcdp+0;
  if (x == 0.0) return -kInfinity;
  if (x < 0.0) return std::numeric_limits<double>::quiet_NaN();
  if (!(x < kInfinity)) return x;
  int exponent = 0;
  if (x < std::numeric_limits<double>::min()) {
    x *= 0x1p+54;
    exponent = -54;
  }
  const auto bits = std::bit_cast<std::uint64_t>(x);
  exponent += static_cast<int>(bits >> 52) - 1023;
  double m = std::bit_cast<double>((bits & 0x000FFFFFFFFFFFFFu) | 0x3FF0000000000000u);
  if (m > kSqrt2) {
    m *= 0.5;
    ++exponent;
  }
  const double s = (m - 1.0) / (m + 1.0);
  const double n = static_cast<double>(exponent);
  return n * kLn2High + (s * polynomial(kSeries, s * s) + n * kLn2Low);
}

double portable_cos(double x) { return turned(reduce(x), 1); }

double portable_sin(double x) { return turned(reduce(x), 0); }

double portable_power(double x, unsigned long long n) {
  double result = 1.0;
  for (double square = x; n != 0; n >>= 1, square *= square) {
    if (n & 1u) result *= square;
  }
  return result;
}

}  // namespace ballast::kernels
