#pragma once

namespace ballast::formats {

/// The number with the fewest digits that is this float again: 1e-06, not 9.999999974752427e-07.
/// What somebody wrote down as a decimal comes out of a float as it was.
[[nodiscard]] double shortest_decimal(float value);

}  // namespace ballast::formats
