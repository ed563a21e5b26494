#include "calibrate/logistic.hpp"

#include <cmath>
#include <gtest/gtest.h>

#include "support/temporary_folder.hpp"

namespace ballast::calibrate {
namespace {

/// Two values each, neither alone decides; unequal weights.
std::vector<Example> examples() {
  std::vector<Example> made;
  for (int i = 0; i < 41; ++i) {
    const double a = std::sin(1.3 * i) * 40.0 + 7.0;
    const double b = std::cos(2.1 * i) * 0.01;
    made.push_back({{a, b}, a / 40.0 + b / 0.01 + std::sin(5.0 * i) > 0.4, i % 3 == 0 ? 1.0 : 0.5});
  }
  return made;
}

/// The quantity that a fit minimizes, as its header defines it.
double cost(const std::vector<Example>& examples, double bias, const std::vector<double>& weights) {
  double total = 0.0;
  for (const auto& e : examples) total += e.weight;
  double sum = 0.0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    double mean = 0.0;
    for (const auto& e : examples) mean += e.weight * e.values[i] / total;
    double variance = 0.0;
    for (const auto& e : examples) variance += e.weight * std::pow(e.values[i] - mean, 2) / total;
    sum += 0.5 * weights[i] * weights[i] * variance;
  }
  for (const auto& e : examples) {
    double score = bias;
    for (std::size_t i = 0; i < weights.size(); ++i) score += weights[i] * e.values[i];
    sum += e.weight * std::log1p(std::exp(e.breaks ? -score : score));
  }
  return sum;
}

TEST(LogisticFit, NoOtherWeightsCostLess) {
  const auto data = examples();
  const LogisticFit found = fit_logistic(data);
  ASSERT_EQ(found.weights.size(), 2u);
  const double least = cost(data, found.bias, found.weights);
  for (const double by : {-1e-3, 1e-3}) {
    EXPECT_GT(cost(data, found.bias + by, found.weights), least);
    EXPECT_GT(cost(data, found.bias, {found.weights[0] + by / 40.0, found.weights[1]}), least);
    EXPECT_GT(cost(data, found.bias, {found.weights[0], found.weights[1] + by / 0.01}), least);
  }
}

TEST(LogisticFit, UnitsDoNotMatter) {
  auto data = examples();
  const LogisticFit before = fit_logistic(data);
  for (auto& example : data) example.values[0] = 1000.0 * example.values[0] - 5.0;
  const LogisticFit after = fit_logistic(data);
  EXPECT_NEAR(after.weights[0] * 1000.0, before.weights[0], 1e-9);
  EXPECT_NEAR(after.weights[1], before.weights[1], 1e-6);
  EXPECT_NEAR(after.bias - 5.0 * after.weights[0], before.bias, 1e-9);
}

TEST(LogisticFit, StaysFiniteWhereAValueDecidesAlone) {
  std::vector<Example> data;
  for (int i = 0; i < 9; ++i) data.push_back({{i < 5 ? 0.0 : 1e6}, i >= 5, 1.0});
  const LogisticFit found = fit_logistic(data);
  EXPECT_GT(found.weights[0], 0.0);
  EXPECT_LT(found.weights[0] * 1e6, 10.0);
}

TEST(LogisticFit, SaysSoWhereItDoesNotSettle) {
  auto data = examples();
  for (auto& example : data) example.breaks = false;  // no bias is low enough
  const std::string message = test::data_error_of([&] { (void)fit_logistic(data); });
  EXPECT_NE(message.find("not converged after"), std::string::npos) << message;
}

TEST(LogisticFit, WhatNeverChangesWeighsNothing) {
  auto data = examples();
  auto alone = data;
  for (auto& example : data) example.values[1] = 0.1;
  for (auto& example : alone) example.values.resize(1);
  const LogisticFit found = fit_logistic(data);
  const LogisticFit expected = fit_logistic(alone);
  EXPECT_LT(std::abs(found.weights[1]), 1e-6);
  EXPECT_NEAR(found.weights[0], expected.weights[0], 1e-9);
  EXPECT_NEAR(found.bias, expected.bias, 1e-6);
}

}  // namespace
}  // namespace ballast::calibrate
