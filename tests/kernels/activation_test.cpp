#include <cmath>
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <limits>
#include <tuple>

#include "kernels/activations.hpp"
#include "kernels/gated_activation.hpp"
#include "kernels/typed.hpp"
#include "kernels/ungated_activation.hpp"
#include "kernels/values.hpp"
#include "reference/activations.hpp"

namespace ballast::kernels {
namespace {

using Parameter = std::tuple<Activation, std::size_t>;

class Activations : public testing::TestWithParam<Parameter> {
 protected:
  Activation kind = std::get<0>(GetParam());
  std::size_t count = std::get<1>(GetParam());
  std::vector<float> a = random_values(1, count, 3.0);
  std::vector<float> b = random_values(2, count);
  std::vector<float> c = random_values(3, count);
};

TEST_P(Activations, GatedOnesAgreeWithTheReferenceAlsoInPlace) {
  for (const double range : {1.0, 30.0, 300.0}) {
    const auto gate = random_values(4, count, range);
    auto out = not_numbers(count);
    gated_activation_forward(kind, std::span{gate}, std::span{b}, std::span{out});
    EXPECT_LE(relative_error(out, reference::gated_activation_forward<double>(kind, as_double(gate),
                                                                              as_double(b))),
              1e-6);

    auto dgate = gate;
    auto dup = b;
    auto activated = not_numbers(count);
    gated_activation_backward(kind, std::span{dgate}, std::span{dup}, std::span{c},
                              std::span{dgate}, std::span{dup}, std::span{activated});
    EXPECT_EQ(activated, out);
    const auto expected = reference::gated_activation_backward<double>(kind, as_double(gate),
                                                                       as_double(b), as_double(c));
    EXPECT_LE(relative_error(dgate, expected.dgate), 1e-6);
    EXPECT_LE(relative_error(dup, expected.dup), 1e-6);
  }
}

TEST_P(Activations, UngatedOnesAgreeWithTheReferenceAlsoInPlace) {
  for (const double range : {1.0, 30.0, 300.0}) {
    const auto x = random_values(4, count, range);
    auto out = not_numbers(count);
    activation_forward(kind, std::span{x}, std::span{out});
    EXPECT_LE(relative_error(out, reference::activation_forward<double>(kind, as_double(x))), 1e-6);
    auto in_place = x;
    activation_forward(kind, std::span{in_place}, std::span{in_place});
    EXPECT_EQ(in_place, out);

    auto dx = x;
    auto activated = c;
    activation_backward(kind, std::span{dx}, std::span{activated}, std::span{dx},
                        std::span{activated});
    EXPECT_EQ(activated, out);
    EXPECT_LE(relative_error(
                  dx, reference::activation_backward<double>(kind, as_double(x), as_double(c))),
              1e-6);
  }
}

// In narrow types: what the fp32 kernel makes of the widened values, rounded once.

TEST_P(Activations, GatedOnesRoundTheirResults) {
  for (const ElementType type : kEveryType) {
    for (const ElementType dout_type : {ElementType::fp32, type}) {
      SCOPED_TRACE(fmt::format("{} of {}", name_of(type), name_of(dout_type)));
      Typed gate{a, type};
      Typed up{b, type};
      Typed dout{c, dout_type};
      const auto wide_gate = gate.values();
      const auto wide_up = up.values();
      const auto wide_dout = dout.values();
      std::vector<float> out(count);
      std::vector<float> dgate(count);
      std::vector<float> dup(count);
      gated_activation_backward(kind, std::span{wide_gate}, std::span{wide_up},
                                std::span{wide_dout}, std::span{dgate}, std::span{dup},
                                std::span{out});

      Typed narrow_out{count, type};
      gated_activation_forward(kind, gate, up, narrow_out);
      EXPECT_EQ(narrow_out.values(), rounded_values(out, type));
      Typed apart{count, type};
      // What is not read again may be written over.
      Typed& activated = dout_type == type ? dout : apart;
      gated_activation_backward(kind, gate, up, dout, gate, up, activated);
      EXPECT_EQ(activated.values(), narrow_out.values());
      EXPECT_EQ(gate.values(), rounded_values(dgate, type));
      EXPECT_EQ(up.values(), rounded_values(dup, type));
    }
  }
}

TEST_P(Activations, UngatedOnesRoundTheirResults) {
  for (const ElementType type : kEveryType) {
    for (const ElementType dout_type : {ElementType::fp32, type}) {
      SCOPED_TRACE(fmt::format("{} of {}", name_of(type), name_of(dout_type)));
      Typed x{a, type};
      Typed dout{c, dout_type};
      const auto wide = x.values();
      const auto wide_dout = dout.values();
      std::vector<float> out(count);
      std::vector<float> dx(count);
      activation_backward(kind, std::span{wide}, std::span{wide_dout}, std::span{dx},
                          std::span{out});

      Typed narrow_out{count, type};
      activation_forward(kind, x, narrow_out);
      EXPECT_EQ(narrow_out.values(), rounded_values(out, type));
      Typed apart{count, type};
      Typed& activated = dout_type == type ? dout : apart;
      activation_backward(kind, x, dout, x, activated);
      EXPECT_EQ(activated.values(), narrow_out.values());
      EXPECT_EQ(x.values(), rounded_values(dx, type));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, Activations,
                         testing::Combine(testing::ValuesIn(kEveryActivation),
                                          testing::Values(0, 1, 7, 15, 16, 17, 64, 130, 1000)),
                         [](const auto& test) {
                           return fmt::format("{}_{}", name_of(std::get<0>(test.param)),
                                              std::get<1>(test.param));
                         });

struct Point {
  float value;
  float slope;
};

Point at(Activation kind, float x) {
  const std::vector<float> one{1.0f};
  const std::vector<float> values{x};
  std::vector<float> value(1);
  std::vector<float> slope(1);
  activation_backward(kind, std::span{values}, std::span{one}, std::span{slope}, std::span{value});
  return {value[0], slope[0]};
}

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kLargest = std::numeric_limits<float>::max();

TEST(ActivationLimits, LargeValuesAreThemselvesOrZero) {
  for (const Activation kind : {Activation::gelu, Activation::gelu_tanh, Activation::relu}) {
    SCOPED_TRACE(name_of(kind));
    for (const float x : {40.0f, 1e10f, kLargest, kInfinity}) {
      EXPECT_EQ(at(kind, x).value, x);
      EXPECT_EQ(at(kind, x).slope, 1.0f);
      EXPECT_EQ(at(kind, -x).value, 0.0f);
      EXPECT_EQ(at(kind, -x).slope, 0.0f);
    }
  }
}

TEST(ActivationLimits, NoFiniteValueBecomesNaN) {
  for (const Activation kind : kEveryActivation) {
    SCOPED_TRACE(name_of(kind));
    for (const float x : {0.0f, -0.0f, 1e-40f, -1e-40f, 13.2f, -13.2f, -32.0f, 32.0f, -89.0f, 1e19f,
                          kLargest, -kLargest}) {
      EXPECT_FALSE(std::isnan(at(kind, x).value)) << x;
      EXPECT_FALSE(std::isnan(at(kind, x).slope)) << x;
    }
  }
}

TEST(ActivationLimits, NaNPassesThrough) {
  for (const Activation kind : kEveryActivation) {
    const Point point = at(kind, std::numeric_limits<float>::quiet_NaN());
    EXPECT_TRUE(std::isnan(point.value)) << name_of(kind);
    EXPECT_TRUE(std::isnan(point.slope)) << name_of(kind);
  }
}

TEST(ActivationLimits, ReluHasNoSlopeAtZero) {
  for (const Activation kind : {Activation::relu, Activation::relu2}) {
    EXPECT_EQ(at(kind, 0.0f).slope, 0.0f);
    EXPECT_EQ(at(kind, 0.0f).value, 0.0f);
  }
}

/// In the tail too, where (1 + erf) / 2 would be left without digits.
TEST(ActivationAccuracy, GeluStaysWithinFiveUnitsOfTheLastPlace) {
  const auto worst = [](Activation kind, auto exact) {
    double most = 0.0;
    for (float x = -13.0f; x < 13.0f; x += 0.000977f) {
      const double expected = exact(static_cast<double>(x));
      // A factor of it leaves the range of normal numbers.
      if (std::abs(expected) < 1e-36) continue;
      const auto rounded = static_cast<float>(std::abs(expected));
      const double ulp = static_cast<double>(std::nextafter(rounded, kInfinity) - rounded);
      most = std::max(most, std::abs(static_cast<double>(at(kind, x).value) - expected) / ulp);
    }
    return most;
  };
  const double gelu =
      worst(Activation::gelu, [](double x) { return 0.5 * x * std::erfc(-x / std::sqrt(2.0)); });
  const double gelu_tanh = worst(Activation::gelu_tanh, [](double x) {
    const double u = std::sqrt(8.0 / 3.14159265358979323846) * (x + 0.044715 * x * x * x);
    return x / (1.0 + std::exp(-u));
  });
  EXPECT_LE(gelu, 5.0);
  EXPECT_LE(gelu_tanh, 5.0);
}

}  // namespace
}  // namespace ballast::kernels
