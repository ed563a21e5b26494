#include "reference/kernels.hpp"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <gtest/gtest.h>
#include <tuple>
#include <vector>

#include "kernels/activations.hpp"
#include "reference/complex_step.hpp"
#include "reference/variants.hpp"

namespace ballast::reference {
namespace {

using ComplexVector = std::vector<Complex>;

/// Σ direction · values: makes a scalar of a kernel's output, whose gradient is the backward of
/// `direction`.
Complex along(const std::vector<double>& direction, const ComplexVector& values) {
  Complex sum;
  for (std::size_t i = 0; i < values.size(); ++i) sum += direction[i] * values[i];
  return sum;
}

TEST(ReferenceLinear, BackwardIsTheComplexStepDerivative) {
  RandomValues random{1};
  const auto x = random.vector<double>(3 * 5);
  const auto w = random.vector<double>(7 * 5);
  const auto dy = random.vector<double>(3 * 7);
  const auto [dx, dw] = linear_backward(5, 7, x, w, dy);
  expect_gradient(
      "x",
      [&](const ComplexVector& at) { return along(dy, linear_forward(5, 7, at, to_complex(w))); },
      x, dx);
  expect_gradient(
      "w",
      [&](const ComplexVector& at) { return along(dy, linear_forward(5, 7, to_complex(x), at)); },
      w, dw);
}

TEST(ReferenceEmbedding, BackwardAddsRepeatedRows) {
  RandomValues random{2};
  const std::vector<std::int32_t> ids{2, 0, 2, 4};
  const auto table = random.vector<double>(5 * 3);
  const auto dout = random.vector<double>(ids.size() * 3);
  expect_gradient(
      "table", [&](const ComplexVector& at) { return along(dout, embedding_forward(3, ids, at)); },
      table, embedding_backward(5, 3, ids, dout));
}

TEST(ReferenceBias, BackwardIsTheComplexStepDerivative) {
  RandomValues random{9};
  const auto x = random.vector<double>(4 * 3);
  const auto bias = random.vector<double>(3);
  const auto dy = random.vector<double>(x.size());
  expect_gradient(
      "bias", [&](const ComplexVector& at) { return along(dy, bias_forward(to_complex(x), at)); },
      bias, bias_backward(3, dy));
}

TEST(ReferenceSoftcap, BackwardIsTheComplexStepDerivative) {
  RandomValues random{10};
  const auto x = random.vector<double>(23, 0.0, 3.0);
  const auto dcapped = random.vector<double>(x.size());
  expect_gradient(
      "x", [&](const ComplexVector& at) { return along(dcapped, softcap_forward(2.0, at)); }, x,
      softcap_backward(2.0, x, dcapped));
}

class ReferenceNorm : public testing::TestWithParam<kernels::NormKind> {};

TEST_P(ReferenceNorm, BackwardIsTheComplexStepDerivative) {
  constexpr double kEpsilon = 1e-2;
  RandomValues random{3};
  const auto x = random.vector<double>(3 * 7, 0.5);
  const auto gain = random.vector<double>(7, 1.0, 0.5);
  const auto dy = random.vector<double>(3 * 7);
  const auto [dx, dgain] = norm_backward(GetParam(), kEpsilon, x, gain, dy);
  expect_gradient(
      "x",
      [&](const ComplexVector& at) {
        return along(dy, norm_forward(GetParam(), kEpsilon, at, to_complex(gain)));
      },
      x, dx);
  expect_gradient(
      "gain",
      [&](const ComplexVector& at) {
        return along(dy, norm_forward(GetParam(), kEpsilon, to_complex(x), at));
      },
      gain, dgain);
}

INSTANTIATE_TEST_SUITE_P(Kinds, ReferenceNorm,
                         testing::Values(kernels::NormKind::rms, kernels::NormKind::layer));

TEST(ReferenceNorm, EpsilonStandsInsideTheRoot) {
  const std::vector<double> x{3.0, 1.0};
  const std::vector<double> gain{2.0, 1.0};
  const auto rms = norm_forward(kernels::NormKind::rms, 4.0, x, gain);
  EXPECT_DOUBLE_EQ(rms[0], 2.0 * 3.0 / 3.0);
  EXPECT_DOUBLE_EQ(rms[1], 1.0 / 3.0);
  const auto layer = norm_forward(kernels::NormKind::layer, 3.0, x, gain);
  EXPECT_DOUBLE_EQ(layer[0], 2.0 * 1.0 / 2.0);
  EXPECT_DOUBLE_EQ(layer[1], -1.0 / 2.0);
}

TEST(ReferenceRope, BackwardIsTheComplexStepDerivative) {
  RandomValues random{4};
  const std::vector<std::int32_t> positions{0, 3, 1, 11, 2};
  const auto x = random.vector<double>(positions.size() * 3 * 6);
  const auto dy = random.vector<double>(x.size());
  expect_gradient(
      "x",
      [&](const ComplexVector& at) { return along(dy, rope_forward(10.0, 3, 6, positions, at)); },
      x, rope_backward(10.0, 3, 6, positions, dy));
}

TEST(ReferenceRope, PairsAnElementWithTheOneHalfAHeadAway) {
  const std::vector<std::int32_t> positions{5};
  const std::vector<double> x{1.0, 0.0, 0.0, 1.0};
  const auto y = rope_forward(100.0, 1, 4, positions, x);
  EXPECT_DOUBLE_EQ(y[0], std::cos(5.0));
  EXPECT_DOUBLE_EQ(y[2], std::sin(5.0));
  EXPECT_DOUBLE_EQ(y[1], -std::sin(0.5));
  EXPECT_DOUBLE_EQ(y[3], std::cos(0.5));
}

const std::vector<std::int32_t> kSegments{0, 0, 1, 1, 1, 1, 2, 2, 2, 5};
const std::vector<float> kSlopes{0.5f, 0.25f, 0.125f, 0.0625f, 0.7f, 0.3f};

using AttentionForm = std::tuple<std::size_t, std::vector<std::int32_t>, kernels::AttentionRule>;

class ReferenceAttention : public testing::TestWithParam<AttentionForm> {};

TEST_P(ReferenceAttention, BackwardIsTheComplexStepDerivative) {
  const auto& [kv_heads, segments, rule] = GetParam();
  const kernels::AttentionDims dims{2, 5, 6, kv_heads, 3};
  RandomValues random{5};
  const auto q = random.vector<double>(dims.tokens() * dims.dim());
  const auto k = random.vector<double>(dims.tokens() * dims.kv_dim());
  const auto v = random.vector<double>(dims.tokens() * dims.kv_dim());
  const auto dout = random.vector<double>(q.size());
  const auto [dq, dk, dv] = attention_backward(dims, q, k, v, segments, dout, rule);
  const auto scalar = [&, &document = segments, &by = rule](const ComplexVector& q_at,
                                                            const ComplexVector& k_at,
                                                            const ComplexVector& v_at) {
    return along(dout, attention_forward(dims, q_at, k_at, v_at, document, by).out);
  };
  const ComplexVector cq = to_complex(q);
  const ComplexVector ck = to_complex(k);
  const ComplexVector cv = to_complex(v);
  expect_gradient(
      "q", [&](const ComplexVector& at) { return scalar(at, ck, cv); }, q, dq);
  expect_gradient(
      "k", [&](const ComplexVector& at) { return scalar(cq, at, cv); }, k, dk);
  expect_gradient(
      "v", [&](const ComplexVector& at) { return scalar(cq, ck, at); }, v, dv);
}

INSTANTIATE_TEST_SUITE_P(
    Forms, ReferenceAttention,
    testing::Combine(testing::Values(1, 2, 6),
                     testing::Values(std::vector<std::int32_t>{}, kSegments),
                     testing::Values(kernels::AttentionRule{},
                                     kernels::AttentionRule{.scale = 0.7f, .window = 2},
                                     kernels::AttentionRule{.window = 3, .softcap = 1.5f},
                                     kernels::AttentionRule{.slopes = kSlopes})));

TEST(ReferenceAttention, RulesFollowTheirFormulas) {
  const kernels::AttentionDims dims{1, 3, 1, 1, 1};
  const std::vector<double> q{1.0, 1.0, 2.0};
  const std::vector<double> k{1.0, 3.0, 0.5};
  const std::vector<double> v{1.0, 1.0, 1.0};
  const auto last = [&](const kernels::AttentionRule& rule) {
    return attention_forward(dims, q, k, v, {}, rule).log_sum_exp[2];
  };
  EXPECT_DOUBLE_EQ(last({.scale = 0.5f}), std::log(std::exp(1.0) + std::exp(3.0) + std::exp(0.5)));
  EXPECT_DOUBLE_EQ(last({.window = 2}), std::log(std::exp(6.0) + std::exp(1.0)));
  EXPECT_DOUBLE_EQ(last({.window = 1, .softcap = 2.0f}), 2.0 * std::tanh(0.5));
  const std::vector<float> slope{0.25f};
  EXPECT_DOUBLE_EQ(last({.slopes = slope}),
                   std::log(std::exp(1.5) + std::exp(5.75) + std::exp(1.0)));
}

// Equal keys give equal probabilities, so each output is the mean of the values in sight.
TEST(ReferenceAttention, SeesEarlierTokensOfItsOwnSequenceAndSegment) {
  const kernels::AttentionDims dims{2, 3, 2, 1, 1};
  const std::vector<double> q(12, 1.0);
  const std::vector<double> k(6, 0.5);
  const std::vector<double> v{1.0, 2.0, 6.0, 10.0, 20.0, 60.0};
  const auto means = [&](const std::vector<std::int32_t>& segments) {
    const auto result = attention_forward(dims, q, k, v, segments);
    EXPECT_DOUBLE_EQ(result.max_logit, 0.5);
    EXPECT_DOUBLE_EQ(result.log_sum_exp[1], 0.5 + std::log(2.0));
    std::vector<double> of_second_head;
    for (std::size_t t = 0; t < 6; ++t) of_second_head.push_back(result.out[2 * t + 1]);
    return of_second_head;
  };
  EXPECT_EQ(means({}), (std::vector{1.0, 1.5, 3.0, 10.0, 15.0, 30.0}));
  EXPECT_EQ(means({0, 0, 1, 1, 2, 2}), (std::vector{1.0, 1.5, 6.0, 10.0, 20.0, 40.0}));
}

TEST(ReferenceAttention, AdjacentQueryHeadsShareAKeyValueHead) {
  const kernels::AttentionDims dims{1, 1, 6, 2, 1};
  const std::vector<double> q(6, 1.0);
  const std::vector<double> kv{1.0, 2.0};
  EXPECT_EQ(attention_forward(dims, q, kv, kv, {}).out,
            (std::vector{1.0, 1.0, 1.0, 2.0, 2.0, 2.0}));
}

class ReferenceActivation : public testing::TestWithParam<kernels::Activation> {};

TEST_P(ReferenceActivation, BackwardIsTheComplexStepDerivative) {
  RandomValues random{6};
  const auto gate = random.vector<double>(29, 0.0, 4.0);
  const auto up = random.vector<double>(29);
  const auto dout = random.vector<double>(29);
  const auto [dgate, dup] = gated_activation_backward(GetParam(), gate, up, dout);
  expect_gradient(
      "gate",
      [&](const ComplexVector& at) {
        return along(dout, gated_activation_forward(GetParam(), at, to_complex(up)));
      },
      gate, dgate);
  expect_gradient(
      "up",
      [&](const ComplexVector& at) {
        return along(dout, gated_activation_forward(GetParam(), to_complex(gate), at));
      },
      up, dup);
  expect_gradient(
      "x", [&](const ComplexVector& at) { return along(dout, activation_forward(GetParam(), at)); },
      gate, activation_backward(GetParam(), gate, dout));
}

INSTANTIATE_TEST_SUITE_P(Kinds, ReferenceActivation, testing::ValuesIn(kernels::kEveryActivation));

TEST(ReferenceActivation, ErrorFunctionIsThatOfTheLibrary) {
  for (double x = -8.0; x < 8.0; x += 0.03125) {
    EXPECT_NEAR(error_function(x), std::erf(x), 2e-15) << x;
  }
}

TEST(ReferenceCrossEntropy, BackwardIsTheComplexStepDerivative) {
  constexpr double kScale = 0.125;
  RandomValues random{7};
  const std::vector<std::int32_t> labels{3, kernels::kIgnoreLabel, 0, 6};
  const auto logits = random.vector<double>(labels.size() * 7, 0.0, 5.0);
  for (const std::vector<float>& weights :
       {std::vector<float>{}, std::vector<float>{0.5f, 2.0f, 0.0f, 3.0f}}) {
    expect_gradient(
        "logits",
        [&](const ComplexVector& at) {
          return kScale * cross_entropy_forward(7, labels, weights, at);
        },
        logits, cross_entropy_backward(7, labels, weights, kScale, logits));
  }
}

TEST(ReferenceZLoss, BackwardIsTheComplexStepDerivative) {
  constexpr double kScale = 0.125;
  constexpr double kC = 0.01;
  RandomValues random{8};
  const std::vector<std::int32_t> labels{3, kernels::kIgnoreLabel, 0, 6};
  const auto logits = random.vector<double>(labels.size() * 7, 1.0, 5.0);
  for (const std::vector<float>& weights :
       {std::vector<float>{}, std::vector<float>{0.5f, 2.0f, 0.0f, -3.0f}}) {
    expect_gradient(
        "logits",
        [&](const ComplexVector& at) {
          return kScale * z_loss_forward(7, labels, weights, kC, at);
        },
        logits, z_loss_backward(7, labels, weights, kC, kScale, logits));
  }
}

TEST(ReferenceZLoss, IsTheSquareOfTheLogarithm) {
  const std::vector<std::int32_t> labels{1, kernels::kIgnoreLabel};
  const std::vector<double> logits{0.0, std::log(3.0), 2.0, 2.0};
  EXPECT_DOUBLE_EQ(z_loss_forward<double>(2, labels, {}, 0.5, logits),
                   0.5 * std::log(4.0) * std::log(4.0));
}

TEST(ReferenceCrossEntropy, ReportsUnweightedNats) {
  const std::vector<std::int32_t> labels{1, kernels::kIgnoreLabel};
  const std::vector<double> logits{0.0, std::log(3.0), 2.0, 2.0};
  const auto nll = cross_entropy_nll(2, labels, logits);
  EXPECT_DOUBLE_EQ(nll[0], std::log(4.0 / 3.0));
  EXPECT_EQ(nll[1], 0.0);
}

TEST(ReferenceAdamW, FirstStepsFollowTheFormula) {
  const AdamW options{0.1, 0.5, 0.75, 1.0, 0.2};
  std::vector<double> weight{1.0};
  std::vector<double> moment1{0.0};
  std::vector<double> moment2{0.0};
  adamw(options, 1, {4.0}, weight, moment1, moment2);
  EXPECT_DOUBLE_EQ(moment1[0], 2.0);
  EXPECT_DOUBLE_EQ(moment2[0], 4.0);
  EXPECT_DOUBLE_EQ(weight[0], 1.0 * (1.0 - 0.1 * 0.2) - 0.1 * 4.0 / (4.0 + 1.0));
  const double before = weight[0];
  adamw(options, 2, {0.0}, weight, moment1, moment2);
  EXPECT_DOUBLE_EQ(weight[0], before * (1.0 - 0.1 * 0.2) -
                                  0.1 * (1.0 / 0.75) / (std::sqrt(3.0 / (1.0 - 0.5625)) + 1.0));
}

}  // namespace
}  // namespace ballast::reference
