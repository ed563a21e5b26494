#include "model/loss.hpp"

#include <cmath>
#include <gtest/gtest.h>
#include <memory>
#include <vector>

#include "model/cases.hpp"
#include "model/distillation_loss.hpp"
#include "model/smoothed_loss.hpp"
#include "reference/nearness.hpp"
#include "support/production_model.hpp"

namespace ballast::model {
namespace {

using reference::Parameters;
using test::as_model_batch;
using test::ProductionModel;
using Values = std::vector<double>;

constexpr BatchShape kShape{2, 7};

struct Case {
  ModelConfig config = reference::tiny_shape();
  Parameters<double> values = reference::random_parameters(config, 3);
  reference::Batch batch = reference::random_batch(config.vocabulary, 2, 7, 5);
  reference::Model<double> oracle{config, values};

  [[nodiscard]] ProductionModel model(const TransformerOptions& options) const {
    return {config, kShape, options, values};
  }
  /// Gradients of what has the gradient weight · (softmax − target) for each token's logits.
  template <class Target>
  [[nodiscard]] Parameters<double> gradients(const Target& target) const {
    return oracle.gradients(batch, [&](const Values& logits) {
      Values d(logits.size());
      for (std::size_t i = 0; i < d.size(); ++i) {
        const std::size_t t = i / config.vocabulary;
        const auto row = std::span{logits}.subspan(t * config.vocabulary, config.vocabulary);
        const double p = std::exp(logits[i] - reference::log_sum_exp<double>(row));
        d[i] = reference::label_weight(batch.labels, batch.weights, t) *
               (p - target(t, i % config.vocabulary));
      }
      return d;
    });
  }
};

TEST(NewLoss, IsOneClassAndItsFigureComesAlong) {
  constexpr double kEpsilon = 0.2;
  const auto loss = std::make_shared<const test::SmoothedLoss>(kEpsilon);
  const Case c;
  for (const auto& precision : every_precision()) {
    ProductionModel production = c.model({.precision = precision, .loss = loss});
    const LossSums sums = production.forward_backward(c.batch);
    const auto expected = c.gradients([&](std::size_t t, std::size_t v) {
      const bool is_label = std::cmp_equal(v, c.batch.labels[t]);
      return kEpsilon / static_cast<double>(c.config.vocabulary) +
             (is_label ? 1.0 - kEpsilon : 0.0);
    });
    const bool is_exact =
        precision.compute == ElementType::fp32 && precision.residual == ElementType::fp32;
    const double tolerance = is_exact ? 1e-5 : 0.1;
    reference::expect_near(production.gradients(), expected, {tolerance, tolerance / 10});
    ASSERT_EQ(sums.other_means().size(), 1u);
    EXPECT_EQ(sums.other_means().front().name, "uniform");
    EXPECT_GT(sums.mean("uniform"), std::log(11.0));

    ProductionModel evaluation =
        c.model({.mode = Mode::evaluation, .precision = precision, .loss = loss});
    std::vector<float> nll(kShape.tokens());
    const LossSums alone =
        evaluation.transformer().forward(as_model_batch(c.batch), evaluation.parameters(), nll);
    EXPECT_EQ(alone.mean(), sums.mean());
    EXPECT_EQ(alone.mean("uniform"), sums.mean("uniform"));
  }
}

/// A wider and deeper teacher of the same vocabulary.
ModelConfig teacher_config() {
  ModelConfig config = reference::tiny_shape();
  config.dim = 24;
  config.layers = 3;
  return config;
}

TEST(NewLoss, MayLearnFromATeacher) {
  Case c;
  c.batch.weights = {};
  const auto config = teacher_config();
  const auto values = reference::random_parameters(config, 8);
  const Values taught = reference::Model<double>{config, values}.logits(c.batch);
  ProductionModel teacher{config, kShape, {.mode = Mode::evaluation}, values};
  const auto loss = std::make_shared<const test::DistillationLoss>();
  ProductionModel student = c.model({.loss = loss});

  LossSums sums = student.transformer().loss().no_sums();
  {
    const auto output = teacher.transformer().output(as_model_batch(c.batch), teacher.parameters());
    sums = student.transformer().forward_backward(as_model_batch(c.batch), student.parameters(),
                                                  1.0f, &output.input());
  }

  const auto expected = c.gradients([&](std::size_t t, std::size_t v) {
    const std::size_t start = t * config.vocabulary;
    const auto row = std::span{taught}.subspan(start, config.vocabulary);
    return std::exp(taught[start + v] - reference::log_sum_exp<double>(row));
  });
  reference::expect_near(student.gradients(), expected, {1e-5, 1e-6});
  EXPECT_GT(sums.mean(), 0.0);
  EXPECT_THROW(student.forward_backward(c.batch), Error) << "without its teacher";
}

TEST(NewLoss, NothingIsLearntFromAnEqual) {
  Case c;
  ProductionModel teacher = c.model({.mode = Mode::evaluation});
  const auto loss = std::make_shared<const test::DistillationLoss>();
  ProductionModel student = c.model({.loss = loss});
  const auto output = teacher.transformer().output(as_model_batch(c.batch), teacher.parameters());
  const LossSums sums = student.transformer().forward_backward(
      as_model_batch(c.batch), student.parameters(), 1.0f, &output.input());
  EXPECT_EQ(sums.numerator().value(), 0.0);
  EXPECT_EQ(reference::global_norm(student.gradients()), 0.0);
}

/// Direct preference optimization (Rafailov et al. 2023): −ln σ(β Δ), where Δ is how much more the
/// first sequence's likelihood has risen against a reference than the second's. Likelihoods of a
/// first pass give weights of both signs for a second.
TEST(NewLoss, ThatCouplesTokensIsTwoPasses) {
  constexpr double kBeta = 0.3;
  constexpr double kReference = -0.7;  // what the reference has of Δ
  Case c;
  c.batch.weights = {};
  ProductionModel production = c.model({});
  std::vector<float> nll(kShape.tokens());
  (void)production.transformer().forward(as_model_batch(c.batch), production.parameters(), nll);
  const auto margin_of = [&](const auto& likelihoods) {
    double margin = -kReference;
    for (std::size_t t = 0; t < kShape.tokens(); ++t) {
      margin += (t < kShape.seq_len ? -1.0 : 1.0) * static_cast<double>(likelihoods[t]);
    }
    return margin;
  };
  const auto slope_at = [](double margin) { return kBeta / (1.0 + std::exp(kBeta * margin)); };
  const double slope = slope_at(margin_of(nll));
  for (std::size_t t = 0; t < kShape.tokens(); ++t) {
    c.batch.weights.push_back(static_cast<float>(t < kShape.seq_len ? slope : -slope));
  }

  const LossSums sums = production.forward_backward(c.batch);

  const auto expected = c.oracle.gradients(c.batch, [&](const Values& logits) {
    const auto exact =
        reference::cross_entropy_nll<double>(c.config.vocabulary, c.batch.labels, logits);
    const double s = slope_at(margin_of(exact));
    Values d = reference::cross_entropy_backward<double>(c.config.vocabulary, c.batch.labels, {}, s,
                                                         logits);
    const std::size_t second = kShape.seq_len * c.config.vocabulary;
    for (std::size_t i = second; i < d.size(); ++i) d[i] = -d[i];
    return d;
  });
  reference::expect_near(production.gradients(), expected, {1e-5, 1e-6});
  EXPECT_TRUE(sums.is_finite());
}

}  // namespace
}  // namespace ballast::model
