#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace ballast {

/// The exact sum of doubles, kept in fixed point, so that adding and merging in
/// any order, on any number of ranks, ends in the same bits (after Kulisch's
/// long accumulator, 2002). The limbs are integers: adding those of two sums,
/// element by element, merges them, and an integer MPI reduction does just that.
///
/// Finite values below 2^448 in magnitude are exact down to 2^-512 and rounded
/// towards zero below that; others are counted in `nonfinite`, not added. Up to 2^30 additions
/// and merges together are safe before a limb could overflow.
class ExactSum {
 public:
  static constexpr std::size_t kLimbs = 32;  ///< 31 of 32 bits each, then the non-finite count

  void add(double value);
  void merge(const ExactSum& other);

  /// The sum, rounded once to the nearest double.
  [[nodiscard]] double value() const;
  [[nodiscard]] std::int64_t nonfinite() const { return limbs_[kLimbs - 1]; }

  [[nodiscard]] std::span<std::int64_t, kLimbs> limbs() { return limbs_; }
  [[nodiscard]] std::span<const std::int64_t, kLimbs> limbs() const { return limbs_; }
  /// The limbs of several sums, one sum after the other.
  [[nodiscard]] static std::span<std::int64_t> limbs_of(std::span<ExactSum> sums);

 private:
  std::array<std::int64_t, kLimbs> limbs_{};
};

}  // namespace ballast
