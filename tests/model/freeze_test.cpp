#include "model/freeze.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "model/flop.hpp"
#include "model/parameters.hpp"
#include "reference/variants.hpp"
#include "support/production_model.hpp"

namespace ballast::model {
namespace {

using test::ProductionModel;

Freeze freeze(const char* patterns) { return Freeze::parse(patterns).value(); }

ModelConfig three_blocks() {
  auto config = reference::tiny_shape();
  config.layers = 3;
  return config;
}

std::vector<std::string> unit_names(const ParameterTable& table) {
  std::vector<std::string> names;
  for (const auto& unit : table.units()) {
    names.push_back(fmt::format("{} {}", unit.name, unit.trains ? "trains" : "frozen"));
  }
  return names;
}

TEST(Freeze, ReadsPatternsAsAShellDoes) {
  EXPECT_TRUE(freeze("embedding").holds("embedding"));
  EXPECT_FALSE(freeze("embedding").holds("embedding2"));
  EXPECT_TRUE(freeze("block.*.wq").holds("block.11.wq"));
  EXPECT_FALSE(freeze("block.?.wq").holds("block.11.wq"));
  EXPECT_TRUE(freeze("head,block.[0-2].*").holds("block.2.w_up"));
  EXPECT_FALSE(freeze("head,block.[0-2].*").holds("block.3.w_up"));
  EXPECT_FALSE(Freeze::nothing().holds("head"));
  EXPECT_TRUE(Freeze::everything().holds("head"));
}

TEST(Freeze, IsReadBack) {
  for (const char* text : {"none", "embedding", "head,block.*.w_up"}) {
    EXPECT_EQ(freeze(text).name(), text);
  }
  for (const char* text : {"", ",", "head,", ",head", "head,,embedding"}) {
    EXPECT_FALSE(Freeze::parse(text).has_value()) << text;
  }
}

TEST(Freeze, AUnitIsCutWhereAPartOfItTrains) {
  const auto config = three_blocks();
  using Names = std::vector<std::string>;
  EXPECT_EQ(unit_names(ParameterTable{config, {}, freeze("embedding,block.1.*")}),
            (Names{"embedding frozen", "head trains", "block.0 trains", "block.1 frozen",
                   "block.2 trains"}));
  EXPECT_EQ(unit_names(ParameterTable{config, Grouping::blocks(3, 2), freeze("head,*.wq")}),
            (Names{"embedding trains", "head.frozen frozen", "head.trained trains",
                   "blocks.0-1.frozen frozen", "blocks.0-1.trained trains", "block.2.frozen frozen",
                   "block.2.trained trains"}));
  EXPECT_EQ(unit_names(ParameterTable{config, Grouping::whole(), freeze("block.*")}),
            (Names{"model.frozen frozen", "model.trained trains"}));
}

TEST(Freeze, LeavesCanonicalOrderAlone) {
  const auto config = three_blocks();
  const ParameterTable plain{config};
  for (const Grouping& grouping : {Grouping{}, Grouping::blocks(3, 2), Grouping::whole()}) {
    const ParameterTable table{config, grouping, freeze("*.w*,head")};
    ASSERT_EQ(table.parameters().size(), plain.parameters().size());
    std::vector<std::size_t> ends(table.units().size());  // granules that a unit's rows fill
    for (std::size_t i = 0; i < plain.parameters().size(); ++i) {
      const auto& row = table.parameters()[i];
      EXPECT_EQ(row.name, plain.parameters()[i].name);
      EXPECT_EQ(row.first_granule, plain.parameters()[i].first_granule);
      EXPECT_EQ(table.trains(row), !freeze("*.w*,head").holds(row.name)) << row.name;
      EXPECT_EQ(row.offset, ends[row.unit] * kGranule);
      ends[row.unit] += row.granules();
    }
    for (std::size_t unit = 0; unit < ends.size(); ++unit) {
      EXPECT_EQ(table.units()[unit].granules, ends[unit]);
    }
    EXPECT_EQ(table.total_granules(), plain.total_granules());
  }
}

TEST(Freeze, CountsWhatTrains) {
  const auto config = three_blocks();
  const ParameterTable table{config, {}, freeze("embedding")};
  EXPECT_EQ(table.trained_numel(), table.total_numel() - table.find("embedding").numel);
  EXPECT_EQ(table.lowest_trained(), table.depth_of(0));
  EXPECT_EQ((ParameterTable{config, {}, Freeze::everything()}.trained_numel()), 0u);
}

TEST(Freeze, APatternThatNoTensorHasIsRefused) {
  try {
    const ParameterTable table{three_blocks(), {}, freeze("embedding,block.*.w_gaet")};
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::usage);
    EXPECT_NE(std::string{error.what()}.find("'block.*.w_gaet'"), std::string::npos)
        << error.what();
  }
}

/// The gradients of a micro-batch; those of tensors that are frozen are zeros.
reference::Parameters<double> gradients_of(const reference::Variant& variant,
                                           TransformerOptions options, const Freeze& frozen) {
  options.freeze = frozen;
  const auto& config = variant.config;
  const auto batch = reference::random_batch(config.vocabulary, 2, 7, 8);
  ProductionModel production{config, {2, 7}, options, reference::random_parameters(config, 7)};
  production.forward_backward(batch);
  return production.gradients();
}

class Frozen : public testing::TestWithParam<reference::Variant> {};

TEST_P(Frozen, TheGradientsOfTheRestHaveTheSameBits) {
  const ParameterTable table{GetParam().config};
  const std::vector<TransformerOptions> all_options{
      {},
      {.recompute = RecomputePolicy::full(), .grouping = Grouping::blocks(3, 2)},
      {.precision = {ElementType::bf16, ElementType::bf16}, .grouping = Grouping::whole()}};
  for (const TransformerOptions& options : all_options) {
    const auto all = gradients_of(GetParam(), options, Freeze::nothing());
    // Each tensor in turn, each block, and what lies below the last.
    std::vector<std::string> patterns{"block.0.*", "block.1.*", "block.*", "embedding,block.[01]*"};
    for (const auto& row : table.parameters()) patterns.push_back(row.name);
    for (const std::string& pattern : patterns) {
      SCOPED_TRACE(pattern);
      const Freeze frozen = freeze(pattern.c_str());
      for (const auto& [name, gradient] : gradients_of(GetParam(), options, frozen)) {
        if (frozen.holds(name)) {
          EXPECT_TRUE(std::ranges::all_of(gradient, [](double g) { return g == 0.0; })) << name;
        } else {
          EXPECT_EQ(gradient, all.at(name)) << name;
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Variants, Frozen,
                         testing::ValuesIn(reference::chosen_variants(reference::uneven_shape(),
                                                                      3)),
                         [](const auto& variant) { return variant.param.name; });

TEST(Freeze, ArithmeticIsWhatIsLeft) {
  const auto config = three_blocks();
  constexpr std::size_t kSeqLen = 7;
  const double all = training_flop_per_token(config, kSeqLen);
  const ParameterTable table{config};
  const auto numel = [&](const char* name) { return static_cast<double>(table.find(name).numel); };
  EXPECT_EQ(training_flop_per_token(config, kSeqLen, freeze("head,block.1.wq")),
            all - 2.0 * numel("head") - 2.0 * numel("block.1.wq"));
  EXPECT_EQ(training_flop_per_token(config, kSeqLen, freeze("embedding")), all);
  EXPECT_EQ(training_flop_per_token(config, kSeqLen, Freeze::everything()), all / 3.0);
  // Nothing goes back through the blocks where only the head trains.
  EXPECT_EQ(training_flop_per_token(config, kSeqLen, freeze("embedding,block.*")),
            all / 3.0 + 4.0 * numel("head"));
}

}  // namespace
}  // namespace ballast::model
