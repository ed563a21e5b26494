#include "model/loss_sums.hpp"

#include <array>
#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <string>

#include "base/error.hpp"

namespace ballast::model {
namespace {

constexpr std::array<std::string_view, 2> kNames{"loss", "spread"};

LossSums sums_of(double weight, double loss, double spread) {
  LossSums sums{kNames};
  sums.add_label(weight);
  sums.add(0, loss);
  sums.add(1, spread);
  return sums;
}

TEST(LossSums, AreMeansOverOneDenominatorByName) {
  LossSums sums = sums_of(0.5, 3.0, 1.0);
  sums.merge(sums_of(1.5, 5.0, -2.0));
  EXPECT_EQ(sums.labels(), 2);
  EXPECT_EQ(sums.weight(), 2.0);
  EXPECT_EQ(sums.mean(), 4.0);
  EXPECT_EQ(sums.mean("spread"), -0.5);
  const auto others = sums.other_means();
  ASSERT_EQ(others.size(), 1u);
  EXPECT_EQ(others.front().name, "spread");
  EXPECT_EQ(others.front().mean, -0.5);
}

TEST(LossSums, HaveNoMeanWhereNothingIsThere) {
  EXPECT_TRUE(std::isnan(LossSums{kNames}.mean()));
  EXPECT_TRUE(std::isnan(sums_of(1.0, 1.0, 1.0).mean("log_z")));
  // Weights of both signs: the denominator may vanish.
  LossSums sums = sums_of(1.0, 3.0, 1.0);
  sums.merge(sums_of(-1.0, 3.0, 1.0));
  EXPECT_TRUE(std::isnan(sums.mean()));
  EXPECT_EQ(sums.numerator().value(), 6.0);
}

TEST(LossSums, KeepANumberThatIsNotFiniteInItsFigure) {
  const LossSums sums = sums_of(1.0, 3.0, std::numeric_limits<double>::infinity());
  EXPECT_FALSE(sums.is_finite());
  EXPECT_EQ(sums.mean(), 3.0);
  EXPECT_TRUE(std::isnan(sums.mean("spread")));
  EXPECT_TRUE(sums_of(1.0, 3.0, 0.0).is_finite());
}

TEST(LossSums, MergeAsIntegersToo) {
  LossSums a = sums_of(0.1, 0.2, 0.3), b = sums_of(0.7, 0.5, -0.3);
  LossSums merged = a;
  merged.merge(b);
  ASSERT_EQ(a.exact_sums().size(), 1 + kNames.size());
  for (std::size_t i = 0; i < a.exact_sums().size(); ++i)
    a.exact_sums()[i].merge(b.exact_sums()[i]);
  a.label_count() += b.labels();
  EXPECT_EQ(a.mean(), merged.mean());
  EXPECT_EQ(a.mean(1), merged.mean(1));
  EXPECT_EQ(a.labels(), merged.labels());
}

TEST(LossSums, OfTwoLossesDoNotMix) {
  constexpr std::array<std::string_view, 2> kOther{"loss", "log_z"};
  LossSums sums{kNames};
  try {
    sums.merge(LossSums{kOther});
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string{error.what()}.find("'loss, spread' and 'loss, log_z'"), std::string::npos)
        << error.what();
  }
}

TEST(LossSums, RefuseMoreFiguresThanTheyHold) {
  const std::array<std::string_view, LossSums::kMostFigures + 1> names{};
  EXPECT_THROW(LossSums{names}, Error);
  EXPECT_THROW(LossSums{{}}, Error);
}

}  // namespace
}  // namespace ballast::model
