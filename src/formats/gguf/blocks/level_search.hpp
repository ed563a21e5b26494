#pragma once

#include <cstddef>
#include <cstdint>

namespace ballast::formats {

/// One unit for numbers ≥ 0, in which each is a whole number of units up to 63: makes
/// Σ w·(x − unit · level)² small. The units tried take the largest number to 63 + k/10,
/// k = −4 … 4; then, up to five times over all numbers, each level alone is moved to where the
/// others' best unit puts it, if that makes the correlation of levels and numbers larger. x,
/// weights, levels: [count]. Returns the unit, 0 for zeros. A number below 0, which only a search
/// with extreme weights can give, has level 0.
float search_levels(const float* x, const float* weights, std::size_t count, std::uint8_t* levels);

}  // namespace ballast::formats
