#include "model/loss_head.hpp"

#include <gtest/gtest.h>
#include <vector>

#include "base/error.hpp"
#include "model/head_case.hpp"

namespace ballast::model {
namespace {

constexpr std::size_t kVocabulary = 67;
constexpr std::size_t kDim = 24;
/// Two whole chunks and a part of one.
constexpr std::size_t kTokens = 2 * 512 + 77;

class LossHeadOf : public testing::TestWithParam<ElementType> {
 protected:
  HeadCase given{kTokens, kVocabulary, kDim, GetParam()};
  TransformerOptions training{.precision = {GetParam(), ElementType::fp32}};
  TransformerOptions evaluation{.mode = Mode::evaluation,
                                .precision = {GetParam(), ElementType::fp32}};
  std::vector<float> dhidden = not_numbers(kTokens * kDim);
  std::vector<float> dhead = not_numbers(kVocabulary * kDim);
};

TEST_P(LossHeadOf, ProductsByChunkAreThoseOfTheWhole) {
  const OwnedHead head{kVocabulary, {1, kTokens}, training};
  const LossSums sums = head->forward_backward(given.input(), given.batch(), 0.25f,
                                               {dhidden, dhead, kernels::Store::overwrite});

  const auto logits = given.logits();
  const double expected =
      reference::cross_entropy_forward(kVocabulary, given.labels, given.weights, logits);
  EXPECT_NEAR(sums.numerator().value(), expected, 1e-5 * std::abs(expected));
  const auto dlogits =
      reference::cross_entropy_backward(kVocabulary, given.labels, given.weights, 0.25, logits);
  const auto [dx, dw] = reference::linear_backward(
      kDim, kVocabulary, as_double(given.hidden.values()), as_double(given.head.values()), dlogits);
  // The gradient of the logits is rounded to the compute type, once.
  const double tolerance = GetParam() == ElementType::fp32 ? 1e-6 : 4e-3;
  EXPECT_LE(relative_error(dhidden, dx), tolerance);
  EXPECT_LE(relative_error(dhead, dw), tolerance);
}

TEST_P(LossHeadOf, ChunksAreTheBitsOfHeadsOfTheirOwn) {
  const OwnedHead whole{kVocabulary, {1, kTokens}, training};
  const LossSums sums = whole->forward_backward(given.input(), given.batch(), 0.25f,
                                                {dhidden, dhead, kernels::Store::overwrite});
  auto pieces_dhidden = not_numbers(kTokens * kDim);
  auto pieces_dhead = not_numbers(kVocabulary * kDim);
  LossSums pieces = whole->loss().no_sums();
  for (std::size_t first = 0; first < kTokens; first += 512) {
    const std::size_t count = std::min<std::size_t>(512, kTokens - first);
    const OwnedHead piece{kVocabulary, {1, count}, training};
    pieces.merge(piece->forward_backward(
        given.input(first, count), given.batch(first, count), 0.25f,
        {std::span{pieces_dhidden}.subspan(first * kDim, count * kDim), pieces_dhead,
         first == 0 ? kernels::Store::overwrite : kernels::Store::add}));
  }
  EXPECT_EQ(dhidden, pieces_dhidden);
  EXPECT_EQ(dhead, pieces_dhead);
  EXPECT_EQ(sums.numerator().value(), pieces.numerator().value());
  EXPECT_EQ(sums.numerator(1).value(), pieces.numerator(1).value());
  EXPECT_EQ(sums.weight(), pieces.weight());
}

TEST_P(LossHeadOf, AnEvaluationTellsWhatATrainingDoes) {
  const OwnedHead trained{kVocabulary, {1, kTokens}, training};
  const OwnedHead evaluated{kVocabulary, {1, kTokens}, evaluation};
  const LossSums sums = trained->forward_backward(given.input(), given.batch(), 0.25f,
                                                  {dhidden, dhead, kernels::Store::overwrite});
  auto nll = not_numbers(kTokens);
  for (const OwnedHead* head : {&trained, &evaluated}) {
    const LossSums alone = (*head)->forward(given.input(), given.batch(), nll);
    EXPECT_EQ(alone.labels(), sums.labels());
    EXPECT_EQ(alone.weight(), sums.weight());
    for (std::size_t figure = 0; figure < sums.other_means().size() + 1; ++figure) {
      EXPECT_EQ(alone.numerator(figure).value(), sums.numerator(figure).value());
    }
  }
  const auto expected =
      reference::cross_entropy_nll<double>(kVocabulary, given.labels, given.logits());
  EXPECT_LE(relative_error(nll, expected), 1e-6);
}

TEST_P(LossHeadOf, AHeadThatDoesNotTrainHasNoGradient) {
  const OwnedHead head{kVocabulary, {1, kTokens}, training};
  auto frozen_dhidden = not_numbers(kTokens * kDim);
  const LossSums sums = head->forward_backward(given.input(), given.batch(), 0.25f,
                                               {dhidden, dhead, kernels::Store::overwrite});
  const LossSums frozen = head->forward_backward(given.input(), given.batch(), 0.25f,
                                                 {frozen_dhidden, {}, kernels::Store::overwrite});
  EXPECT_EQ(frozen_dhidden, dhidden);
  EXPECT_EQ(frozen.numerator().value(), sums.numerator().value());
}

TEST_P(LossHeadOf, AnEvaluationReservesNoRoomForGradients) {
  const std::size_t narrow = GetParam() == ElementType::fp32 ? 0 : size_of(GetParam());
  constexpr std::size_t kChunk = 512;
  // A chunk's logits, and what the loss tells of its tokens besides their likelihood.
  const std::size_t always = kChunk * (kVocabulary + 1) * sizeof(float);
  const OwnedHead trained{kVocabulary, {1, kTokens}, training};
  const OwnedHead evaluated{kVocabulary, {1, kTokens}, evaluation};
  EXPECT_EQ(evaluated.arena().planned_bytes(), always);
  EXPECT_EQ(trained.arena().planned_bytes(),
            always + aligned_size(kTokens * sizeof(float)) + kChunk * kVocabulary * narrow);
  // All but the likelihoods, which a search for a fault reads after the backward, may be lent.
  EXPECT_EQ(trained->logits_extent().bytes, always + kChunk * kVocabulary * narrow);
}

/// Keeps all logits, which no model does.
class WholeLogits final : public LogitsObserver {
 public:
  void after_logits(const ShownLogits& shown, const kernels::Operations&) override {
    EXPECT_EQ(shown.vocabulary, kVocabulary);
    EXPECT_EQ(shown.first_token * kVocabulary, logits.size());
    logits.insert(logits.end(), shown.logits.begin(), shown.logits.end());
    ++chunks;
  }

  std::vector<float> logits;
  int chunks = 0;
};

TEST_P(LossHeadOf, AnObserverSeesTheLogitsOfEachTokenOnceAndChangesNoBit) {
  const OwnedHead head{kVocabulary, {1, kTokens}, evaluation};
  auto plain = not_numbers(kTokens);
  auto nll = not_numbers(kTokens);
  (void)head->forward(given.input(), given.batch(), plain);
  WholeLogits seen;
  (void)head->forward(given.input(), given.batch(), nll, nullptr, &seen);
  EXPECT_EQ(nll, plain);
  EXPECT_EQ(seen.chunks, 3);
  EXPECT_LE(relative_error(seen.logits, given.logits()), 1e-6);
}

INSTANTIATE_TEST_SUITE_P(Types, LossHeadOf,
                         testing::Values(ElementType::fp32, ElementType::bf16, ElementType::fp16),
                         [](const auto& type) { return std::string{name_of(type.param)}; });

TEST(LossHead, RefusesATeacherThatNobodyAskedFor) {
  const HeadCase given{8, kVocabulary, kDim, ElementType::fp32};
  const OwnedHead head{kVocabulary, {1, 8}, {}};
  std::vector<float> nll(8);
  const HeadInput teacher = given.input();
  EXPECT_THROW((void)head->forward(given.input(), given.batch(), nll, &teacher), Error);
}

}  // namespace
}  // namespace ballast::model
