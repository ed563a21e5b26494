#include "base/exact_sum.hpp"

#include <cmath>
#include <cstddef>

namespace ballast {

namespace {

constexpr int kLowestBit = -512;  // weight of the lowest bit of limb 0
constexpr int kLimbBits = 32;
constexpr std::size_t kDigits = ExactSum::kLimbs - 1;
constexpr double kLargest = 0x1p448;

__extension__ using Wide = unsigned __int128;
using Digits = std::array<std::int64_t, kDigits>;

/// Carries so that every digit but the highest lies in [0, 2^32).
void normalize(Digits& digits) {
  for (std::size_t i = 0; i + 1 < kDigits; ++i) {
    const std::int64_t carry = digits[i] >> kLimbBits;
    digits[i] -= carry * (std::int64_t{1} << kLimbBits);
    digits[i + 1] += carry;
  }
}

/// The value of normalized non-negative digits: three digits hold 65 bits or
/// more below the leading one, and whatever lies lower only breaks ties.
double round_to_double(const Digits& digits) {
  std::size_t top = kDigits;
  while (top > 0 && digits[top - 1] == 0) --top;
  if (top == 0) return 0.0;
  const auto digit = [&](std::size_t below) {
    return below < top ? static_cast<Wide>(digits[top - 1 - below]) : Wide{0};
  };
  Wide head = (digit(0) << 64) | (digit(1) << 32) | digit(2);
  for (std::size_t i = 0; i + 3 < top; ++i) {
    if (digits[i] != 0) {
      head |= 1;
      break;
    }
  }
  // Keep 62 bits and a sticky one: an exact conversion to double rounds once.
  int shift = 0;
  while (head >> 62 != 0) {
    head = (head >> 1) | (head & 1);
    ++shift;
  }
  const int exponent = kLowestBit + kLimbBits * (static_cast<int>(top) - 3) + shift;
  return std::ldexp(static_cast<double>(static_cast<std::int64_t>(head)), exponent);
}

}  // namespace

void ExactSum::add(double value) {
  if (!std::isfinite(value) || std::fabs(value) >= kLargest) {
    ++limbs_[kLimbs - 1];
    return;
  }
  if (value == 0.0) return;
  int exponent = 0;
  auto mantissa = static_cast<std::int64_t>(std::frexp(value, &exponent) * 0x1p53);
  int bit = exponent - 53 - kLowestBit;  // position of the mantissa's lowest bit
  if (bit < 0) {
    if (bit <= -63) return;
    mantissa /= std::int64_t{1} << -bit;
    bit = 0;
  }
  const std::int64_t sign = mantissa < 0 ? -1 : 1;
  const auto low = static_cast<std::size_t>(bit / kLimbBits);
  Wide wide = static_cast<Wide>(mantissa * sign) << (bit % kLimbBits);
  for (std::size_t i = low; wide != 0; ++i, wide >>= kLimbBits) {
    limbs_[i] += sign * static_cast<std::int64_t>(static_cast<std::uint32_t>(wide));
  }
}

void ExactSum::merge(const ExactSum& other) {
  for (std::size_t i = 0; i < kLimbs; ++i) limbs_[i] += other.limbs_[i];
}

std::span<std::int64_t> ExactSum::limbs_of(std::span<ExactSum> sums) {
  static_assert(sizeof(ExactSum) == kLimbs * sizeof(std::int64_t));
  return {reinterpret_cast<std::int64_t*>(sums.data()), sums.size() * kLimbs};
}

double ExactSum::value() const {
  Digits digits{};
  for (std::size_t i = 0; i < kDigits; ++i) digits[i] = limbs_[i];
  normalize(digits);
  const bool negative = digits[kDigits - 1] < 0;
  if (negative) {
    for (auto& digit : digits) digit = -digit;
    normalize(digits);
  }
  const double magnitude = round_to_double(digits);
  return negative ? -magnitude : magnitude;
}

}  // namespace ballast
