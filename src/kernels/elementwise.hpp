#pragma once

#include <span>

#include "base/exact_sum.hpp"
#include "base/team.hpp"
#include "tensor/element.hpp"

namespace ballast::kernels {

/// out = a + b, rounded where out is narrow. Equal sizes; a and out are of one type, and out may be
/// a.
void add(const ConstElements& a, std::span<const float> b, const Elements& out,
         Team* team = nullptr);

/// x = 0.
void clear(std::span<float> x, Team* team = nullptr);

/// out += x. Equal sizes.
void accumulate(std::span<const float> x, std::span<float> out);

/// out = x · factor, rounded where out is narrow. Equal sizes and types; out may be x.
void scale(const ConstElements& x, float factor, const Elements& out, Team* team = nullptr);
/// The same of fp32.
void scale(std::span<const float> x, float factor, std::span<float> out);

/// The sum of squares of one granule (1,024 elements or fewer), in double over a fixed tree of 16
/// lanes. Not finite if any element is not.
[[nodiscard]] double sum_of_squares(std::span<const float> granule);

/// Adds the squares of any number of elements to `sum`, granule by granule.
void add_squares(std::span<const float> values, ExactSum& sum);

}  // namespace ballast::kernels
