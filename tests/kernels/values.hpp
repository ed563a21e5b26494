#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "base/philox.hpp"

namespace ballast {

/// `count` floats, uniform in (−range, range), the same everywhere for the same stream.
inline std::vector<float> random_values(std::uint32_t stream, std::size_t count,
                                        double range = 1.0) {
  const Philox draw{7, RandomPurpose::probe, stream, 0};
  std::vector<float> values;
  for (std::size_t i = 0; i < count; ++i) {
    values.push_back(static_cast<float>((2.0 * open_unit(draw(i)[0]) - 1.0) * range));
  }
  return values;
}

/// Token positions within each sequence.
inline std::vector<std::int32_t> positions_of(std::size_t sequences, std::size_t seq_len) {
  std::vector<std::int32_t> positions;
  for (std::size_t i = 0; i < sequences * seq_len; ++i) {
    positions.push_back(static_cast<std::int32_t>(i % seq_len));
  }
  return positions;
}

inline std::vector<double> as_double(std::span<const float> values) {
  return {values.begin(), values.end()};
}

/// What an overwritten destination holds before: it shows wherever it is left or read.
inline std::vector<float> not_numbers(std::size_t count) {
  return std::vector<float>(count, std::numeric_limits<float>::quiet_NaN());
}

/// ‖actual − expected‖ / ‖expected‖, or ‖actual‖ where `expected` is zero; NaN on a size mismatch.
inline double relative_error(std::span<const float> actual, std::span<const double> expected) {
  if (actual.size() != expected.size()) return std::numeric_limits<double>::quiet_NaN();
  double difference = 0.0;
  double norm = 0.0;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    const double d = static_cast<double>(actual[i]) - expected[i];
    difference += d * d;
    norm += expected[i] * expected[i];
  }
  return std::sqrt(difference / (norm > 0.0 ? norm : 1.0));
}

}  // namespace ballast
