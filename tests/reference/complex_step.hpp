#pragma once

#include <algorithm>
#include <complex>
#include <cstddef>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "reference/nearness.hpp"

namespace ballast::reference {

using Complex = std::complex<double>;

/// The imaginary step: its square vanishes beside 1, so the derivative has no truncation error,
/// and nothing is subtracted (Squire and Trapp 1998).
inline constexpr double kComplexStep = 1e-100;

[[nodiscard]] inline std::vector<Complex> to_complex(const std::vector<double>& values) {
  return {values.begin(), values.end()};
}

/// Holds every element of `gradient` against the complex-step derivative of `function`, a scalar
/// of the vector x, to 1e-10 of the gradient's norm. Floor: 1e-10 of 1.
template <class Function>
void expect_gradient(const std::string& what, const Function& function,
                     const std::vector<double>& x, const std::vector<double>& gradient) {
  ASSERT_EQ(x.size(), gradient.size()) << what;
  const double tolerance = 1e-10 * std::max(norm2(gradient), 1e-3);
  std::vector<Complex> moved = to_complex(x);
  for (std::size_t i = 0; i < x.size(); ++i) {
    moved[i] = {x[i], kComplexStep};
    const double derivative = function(moved).imag() / kComplexStep;
    moved[i] = x[i];
    ASSERT_NEAR(gradient[i], derivative, tolerance) << what << ", element " << i;
  }
}

}  // namespace ballast::reference
