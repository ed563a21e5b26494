#include "reference/model.hpp"

#include <complex>
#include <cstddef>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "reference/complex_step.hpp"
#include "reference/nearness.hpp"
#include "reference/variants.hpp"

namespace ballast::reference {
namespace {

Parameters<Complex> to_complex(const Parameters<double>& parameters) {
  Parameters<Complex> result;
  for (const auto& [name, values] : parameters) result[name] = reference::to_complex(values);
  return result;
}

/// A variant with parameters, tokens and the gradients that are to be checked.
struct Case {
  explicit Case(const Variant& variant)
      : batch{random_batch(variant.config.vocabulary, 2, 5, 1)},
        parameters{random_parameters(variant.config, 2)},
        model{variant.config, to_complex(parameters)},
        gradients{Model<double>{variant.config, parameters}.gradients(batch)},
        floor{1e-6 * global_norm(gradients)} {}

  [[nodiscard]] double tolerance(const std::vector<double>& gradient) const {
    return 1e-10 * std::max(norm2(gradient), floor);
  }

  /// d loss / d h where the parameters move by h · direction.
  [[nodiscard]] double derivative(const std::string& name, const std::vector<double>& direction) {
    std::vector<Complex>& values = model.parameters().at(name);
    for (std::size_t i = 0; i < values.size(); ++i) values[i].imag(direction[i] * kComplexStep);
    const double derivative = model.loss(batch).imag() / kComplexStep;
    for (Complex& value : values) value.imag(0.0);
    return derivative;
  }

  void expect_element(const std::string& name, std::size_t element) {
    const std::vector<double>& gradient = gradients.at(name);
    std::vector<double> direction(gradient.size());
    direction[element] = 1.0;
    EXPECT_NEAR(gradient[element], derivative(name, direction), tolerance(gradient))
        << name << ", element " << element;
  }

  Batch batch;
  Parameters<double> parameters;
  Model<Complex> model;
  Parameters<double> gradients;
  double floor;
};

std::string variant_name(const testing::TestParamInfo<Variant>& variant) {
  return variant.param.name;
}

using EveryVariant = testing::TestWithParam<Variant>;
using PairwiseVariants = testing::TestWithParam<Variant>;

// A random direction moves every element at once, so one wrong element shows; single elements
// say which.
TEST_P(EveryVariant, GradientOfEveryTensorIsTheComplexStepDerivative) {
  constexpr std::size_t kElements = 5;
  Case c{GetParam()};
  RandomValues random{3};
  ASSERT_EQ(c.gradients.size(), parameter_shapes(GetParam().config).size());
  for (const auto& [name, gradient] : c.gradients) {
    EXPECT_GT(norm2(gradient), c.floor) << name;
    const std::vector<double> direction = random.vector<double>(gradient.size());
    EXPECT_NEAR(dot(gradient, direction), c.derivative(name, direction), c.tolerance(gradient))
        << name;
    const std::size_t stride = std::max<std::size_t>(1, gradient.size() / kElements);
    for (std::size_t i = 0; i < gradient.size(); i += stride) c.expect_element(name, i);
  }
}

TEST_P(PairwiseVariants, GradientOfEveryElementIsTheComplexStepDerivative) {
  Case c{GetParam()};
  for (const auto& [name, gradient] : c.gradients) {
    for (std::size_t i = 0; i < gradient.size(); ++i) c.expect_element(name, i);
  }
}

INSTANTIATE_TEST_SUITE_P(ReferenceModel, EveryVariant,
                         testing::ValuesIn(all_variants(tiny_shape(), 2)), variant_name);
INSTANTIATE_TEST_SUITE_P(ReferenceModel, PairwiseVariants,
                         testing::ValuesIn(chosen_variants(tiny_shape(), 2)), variant_name);

}  // namespace
}  // namespace ballast::reference
