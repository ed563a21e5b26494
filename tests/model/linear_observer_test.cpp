#include "model/linear_observer.hpp"

#include <gtest/gtest.h>
#include <map>
#include <string>
#include <vector>

#include "kernels/convert.hpp"
#include "model/cases.hpp"
#include "reference/nearness.hpp"
#include "reference/variants.hpp"
#include "support/production_model.hpp"

namespace ballast::model {
namespace {

using reference::Parameters;
using reference::Variant;
using test::ProductionModel;

constexpr std::size_t kSequences = 3;
constexpr std::size_t kSeqLen = 7;

/// Keeps what every linear layer read last, and how often each was called.
class Inputs final : public LinearObserver {
 public:
  explicit Inputs(const ParameterTable& table) : table_{&table} {}

  void before_linear(std::size_t layer, TensorSlot tensor, const ConstElements& input) override {
    for (const auto& row : table_->parameters_of_layer(layer)) {
      const bool is_it = row.slot.sublayer == tensor.sublayer && row.slot.tensor == tensor.tensor;
      if (is_it) keep(row.name, input);
    }
  }
  void before_head(const ConstElements& input) override { keep("head", input); }

  Parameters<double> values;
  std::map<std::string, int> calls;

 private:
  void keep(const std::string& name, const ConstElements& input) {
    std::vector<float> floats(input.size());
    kernels::widen(input, floats);
    values[name].assign(floats.begin(), floats.end());
    ++calls[name];
  }

  const ParameterTable* table_;
};

/// What every linear layer of the reference reads, in the order of its calls.
Parameters<double> expected_inputs(const ModelConfig& config, const Parameters<double>& values,
                                   const reference::Batch& batch) {
  Parameters<double> inputs;
  reference::Model<double> oracle{config, values};
  oracle.on_linear([&](const std::string& weight, const std::vector<double>& x) {
    inputs[weight == "embedding" ? "head" : weight] = x;
  });
  (void)oracle.logits(batch);
  return inputs;
}

class LinearInputs : public testing::TestWithParam<Variant> {};

TEST_P(LinearInputs, AreThoseOfTheReference) {
  const auto& config = GetParam().config;
  const auto values = reference::random_parameters(config, 3);
  const auto batch = reference::random_batch(config.vocabulary, kSequences, kSeqLen, 5);
  ProductionModel production{config, {kSequences, kSeqLen}, {.mode = Mode::evaluation}, values};
  Inputs seen{production.transformer().table()};
  production.transformer().observe_linears(&seen);
  std::vector<float> nll(kSequences * kSeqLen);
  (void)production.transformer().forward(test::as_model_batch(batch), production.parameters(), nll);

  const auto expected = expected_inputs(config, values, batch);
  ASSERT_EQ(seen.values.size(), expected.size());
  reference::expect_near(seen.values, expected, {1e-5, 1e-6});
}

INSTANTIATE_TEST_SUITE_P(Variants, LinearInputs,
                         testing::ValuesIn(reference::chosen_variants(reference::tiny_shape(), 2)),
                         [](const auto& variant) { return variant.param.name; });

TEST(LinearObserver, SeesEachLayerOnceAndChangesNoBit) {
  const auto config = odd_shape();
  const auto values = reference::random_parameters(config, 3);
  const auto batch = reference::random_batch(config.vocabulary, kSequences, kSeqLen, 5);
  for (const RecomputePolicy& recompute : every_recomputation()) {
    const TransformerOptions options{.recompute = recompute};
    ProductionModel plain{config, {kSequences, kSeqLen}, options, values};
    ProductionModel watched{config, {kSequences, kSeqLen}, options, values};
    Inputs seen{watched.transformer().table()};
    watched.transformer().observe_linears(&seen);
    plain.forward_backward(batch);
    watched.forward_backward(batch);
    EXPECT_EQ(plain.gradients(), watched.gradients());
    EXPECT_EQ(seen.calls.size(), 7 * config.layers + 1);
    for (const auto& [name, calls] : seen.calls) EXPECT_EQ(calls, 1) << name;
  }
}

TEST(LinearObserver, SeesTheTypeThatProductsRead) {
  const auto config = odd_shape();
  const auto values = reference::random_parameters(config, 3);
  const auto batch = reference::random_batch(config.vocabulary, kSequences, kSeqLen, 5);
  const auto expected = expected_inputs(config, values, batch);
  for (const Precision& precision : every_precision()) {
    ProductionModel production{
        config, {kSequences, kSeqLen}, {.mode = Mode::evaluation, .precision = precision}, values};
    Inputs seen{production.transformer().table()};
    production.transformer().observe_linears(&seen);
    std::vector<float> nll(kSequences * kSeqLen);
    (void)production.transformer().forward(test::as_model_batch(batch), production.parameters(),
                                           nll);
    reference::expect_near(seen.values, expected, {0.05, 0.05});
  }
}

}  // namespace
}  // namespace ballast::model
