#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <gtest/gtest.h>
#include <vector>

#include "reference/model.hpp"

namespace ballast::reference {

[[nodiscard]] inline double dot(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

/// The Euclidean norm.
[[nodiscard]] inline double norm2(const std::vector<double>& values) {
  return std::sqrt(dot(values, values));
}

[[nodiscard]] inline double global_norm(const Parameters<double>& tensors) {
  double sum = 0.0;
  for (const auto& [name, values] : tensors) sum += dot(values, values);
  return std::sqrt(sum);
}

/// a − b, tensor by tensor; the same names and sizes in both.
[[nodiscard]] inline Parameters<double> difference(Parameters<double> a,
                                                   const Parameters<double>& b) {
  for (auto& [name, values] : a) {
    for (std::size_t i = 0; i < values.size(); ++i) values[i] -= b.at(name).at(i);
  }
  return a;
}

/// How near two sets of tensors must be: ‖Δ‖ ≤ max(relative · ‖tensor‖, floor · ‖all tensors‖),
/// tensor by tensor.
struct Nearness {
  double relative;
  double floor;
};

inline void expect_near(const Parameters<double>& actual, const Parameters<double>& expected,
                        Nearness nearness) {
  ASSERT_EQ(actual.size(), expected.size());
  const double floor = nearness.floor * global_norm(expected);
  for (const auto& [name, values] : expected) {
    ASSERT_TRUE(actual.contains(name)) << name;
    ASSERT_EQ(actual.at(name).size(), values.size()) << name;
  }
  for (const auto& [name, delta] : difference(actual, expected)) {
    EXPECT_LE(norm2(delta), std::max(nearness.relative * norm2(expected.at(name)), floor)) << name;
  }
}

}  // namespace ballast::reference
