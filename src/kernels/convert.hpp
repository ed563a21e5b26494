#pragma once

#include <cstdint>
#include <span>

#include "base/team.hpp"
#include "tensor/element.hpp"

namespace ballast::kernels {

/// x rounded to the type of `out` (to nearest, ties to even; beyond fp16's range to infinity, as in
/// IEEE 754). Equal sizes, no overlap; but if `out` is fp32 both may be the same memory, and then
/// nothing is done.
void narrow(std::span<const float> x, const Elements& out, Team* team = nullptr);

/// x in the type of `out`: widened, then rounded as `narrow` does. Equal sizes, no overlap.
void convert(const ConstElements& x, const Elements& out, Team* team = nullptr);

/// x exactly, as fp32; the inverse of `narrow` on its results.
void widen(const ConstElements& x, std::span<float> out, Team* team = nullptr);

/// fp32 master weights in two halves of 16 bits: `high` is the master rounded to bf16, ready to
/// compute with, `low` the difference of the bit patterns. The rounding is to nearest with ties
/// away from zero, which makes the pair unique for every master: with ties to even two masters
/// would share one.
void split_master(std::span<const float> master, std::span<std::uint16_t> high,
                  std::span<std::int16_t> low);
void join_master(std::span<const std::uint16_t> high, std::span<const std::int16_t> low,
                 std::span<float> master);

/// Whether every element is a finite number.
[[nodiscard]] bool all_finite(std::span<const float> x);

}  // namespace ballast::kernels
