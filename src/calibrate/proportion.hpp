#pragma once

#include <array>
#include <cstddef>
#include <string>

namespace ballast::calibrate {

/// A count out of a total.
struct Proportion {
  std::size_t hits = 0;
  std::size_t of = 0;

  void count(bool is_hit);
  [[nodiscard]] double value() const;  ///< NaN of none
  /// Where the true share lies in 95 of 100 cases (Wilson 1927); NaNs of none.
  [[nodiscard]] std::array<double, 2> interval() const;
  /// "8/26 = 0.31 [0.17, 0.50]"; "-" of none.
  [[nodiscard]] std::string text() const;
};

}  // namespace ballast::calibrate
