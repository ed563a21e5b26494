#include "model/grouping.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "model/parameters.hpp"
#include "model/unit_views.hpp"
#include "model/whole_parameters.hpp"
#include "model/wrap.hpp"
#include "reference/nearness.hpp"
#include "reference/variants.hpp"
#include "support/production_model.hpp"

namespace ballast::model {
namespace {

using test::ProductionModel;
using Layers = std::vector<std::size_t>;

std::vector<UnitId> units_at(const ParameterTable& table, Depth depth) {
  const auto units = table.units_at(depth);
  return {units.begin(), units.end()};
}

ModelConfig five_blocks() {
  auto config = reference::tiny_shape();
  config.layers = 5;
  config.kv_heads = 2;
  config.qk_norm = true;
  return config;
}

/// Logical parameters of one block, from the formula.
std::uint64_t block_numel(const ModelConfig& c) {
  return 2 * c.dim * c.dim + 2 * c.dim * c.kv_dim() + 3 * c.dim * c.ffn + 2 * c.dim +
         2 * c.head_dim();
}

std::string refusal(std::string_view wrap) {
  try {
    (void)Wrap::parse(wrap).value().grouping(five_blocks());
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::usage);
    return error.what();
  }
  return "";
}

TEST(Grouping, ReadsEveryForm) {
  const auto config = five_blocks();
  const auto parse = [&](const std::string& wrap) {
    return Wrap::parse(wrap).value().grouping(config);
  };
  EXPECT_EQ(parse("block").layers, (Layers{1, 1, 1, 1, 1}));
  EXPECT_EQ(parse("blocks:1").layers, (Layers{1, 1, 1, 1, 1}));
  EXPECT_EQ(parse("blocks:2").layers, (Layers{2, 2, 1}));
  EXPECT_EQ(parse("blocks:3").layers, (Layers{3, 2}));
  EXPECT_EQ(parse("blocks:5").layers, (Layers{5}));
  EXPECT_EQ(parse("whole"), Grouping::whole());
  const std::uint64_t one = block_numel(config);
  const auto size = [&](std::uint64_t n) { return parse(fmt::format("size:{}", n)).layers; };
  EXPECT_EQ(size(1), (Layers{1, 1, 1, 1, 1}));
  EXPECT_EQ(size(one), (Layers{1, 1, 1, 1, 1}));
  EXPECT_EQ(size(one + 1), (Layers{2, 2, 1}));
  EXPECT_EQ(size(3 * one), (Layers{3, 2}));
  EXPECT_EQ(size(5 * one), (Layers{5}));
}

TEST(Grouping, RefusesWhatMatchesNothing) {
  const std::uint64_t all = 5 * block_numel(five_blocks());
  for (const auto& wrap : {std::string{"blocks:0"}, std::string{"blocks:6"}, std::string{"size:0"},
                           fmt::format("size:{}", all + 1)}) {
    EXPECT_NE(refusal(wrap).find("parallel.wrap = " + wrap), std::string::npos) << wrap;
  }
  EXPECT_NE(refusal("blocks:6").find("1 to 5"), std::string::npos);
  EXPECT_NE(refusal("size:1000000000").find(fmt::format("1 to {}", all)), std::string::npos);
}

TEST(Grouping, ReadsNothingElse) {
  for (const char* text :
       {"", "layer", "blocks:", "blocks:2x", "size:-1", "size:99999999999999999999"}) {
    EXPECT_FALSE(Wrap::parse(text).has_value()) << text;
  }
}

TEST(Grouping, AWrapIsReadBack) {
  for (const char* text : {"block", "blocks:2", "size:12345", "whole"}) {
    EXPECT_EQ(Wrap::parse(text).value().name(), text);
  }
}

TEST(Grouping, TensorsKeepTheirCanonicalPlaces) {
  const auto config = five_blocks();
  const ParameterTable plain{config};
  for (const Grouping& grouping : {Grouping::blocks(5, 2), Grouping::whole()}) {
    const ParameterTable table{config, grouping};
    ASSERT_EQ(table.parameters().size(), plain.parameters().size());
    for (std::size_t i = 0; i < plain.parameters().size(); ++i) {
      EXPECT_EQ(table.parameters()[i].name, plain.parameters()[i].name);
      EXPECT_EQ(table.parameters()[i].first_granule, plain.parameters()[i].first_granule);
    }
    EXPECT_EQ(table.total_granules(), plain.total_granules());
    UnitId id = 0;
    std::size_t granule = 0;
    for (const auto& unit : table.units()) {
      EXPECT_EQ(unit.first_granule, granule);
      granule += unit.granules;
      for (const std::size_t row : unit.rows) {
        const auto& parameter = table.parameters()[row];
        EXPECT_EQ(parameter.unit, id);
        EXPECT_EQ(unit.first_granule * kGranule + parameter.offset,
                  parameter.first_granule * kGranule);
      }
      ++id;
    }
    EXPECT_EQ(granule, table.total_granules());
  }
}

TEST(Grouping, UnitsKnowTheirBlocks) {
  const ParameterTable table{five_blocks(), Grouping::blocks(5, 2)};
  std::vector<std::string> names;
  for (const auto& unit : table.units()) names.push_back(unit.name);
  EXPECT_EQ(names,
            (std::vector<std::string>{"embedding", "head", "blocks.0-1", "blocks.2-3", "block.4"}));
  EXPECT_EQ(table.ends(), 2u);
  EXPECT_EQ(units_at(table, kEmbeddingDepth), std::vector<UnitId>{0});
  EXPECT_EQ(units_at(table, table.head_depth()), std::vector<UnitId>{1});
  EXPECT_EQ(units_at(table, table.depth_of(1)), std::vector<UnitId>{2});
  EXPECT_EQ(units_at(table, table.depth_of(4)), std::vector<UnitId>{4});
  EXPECT_EQ(table.unit(3).lowest, table.depth_of(2));
  EXPECT_EQ(table.unit(3).highest, table.depth_of(3));
  EXPECT_EQ(table.unit(4).lowest, table.unit(4).highest);
  EXPECT_EQ(ParameterTable{five_blocks()}.unit(5).name, "block.3");
}

TEST(Grouping, ATiedHeadLiesWithItsEmbedding) {
  auto config = five_blocks();
  config.tie_embeddings = true;
  const ParameterTable table{config};
  EXPECT_EQ(table.unit(0).name, "ends");
  EXPECT_EQ(table.ends(), 1u);
  EXPECT_EQ(units_at(table, table.head_depth()), std::vector<UnitId>{0});
  EXPECT_EQ(units_at(table, table.depth_of(0)), std::vector<UnitId>{1});
  EXPECT_EQ(table.unit(0).lowest, kEmbeddingDepth);
  EXPECT_EQ(table.unit(0).highest, table.head_depth());
}

TEST(Grouping, WholeIsOneUnit) {
  const ParameterTable table{five_blocks(), Grouping::whole()};
  ASSERT_EQ(table.units().size(), 1u);
  EXPECT_EQ(table.unit(0).name, "model");
  EXPECT_EQ(units_at(table, table.depth_of(3)), std::vector<UnitId>{0});
  EXPECT_EQ(table.ends(), 1u);
}

TEST(Grouping, AnIncompleteOneIsRefused) {
  EXPECT_THROW((ParameterTable{five_blocks(), {{2, 2}}}), Error);
  EXPECT_THROW((ParameterTable{five_blocks(), {{5, 0}}}), Error);
}

TEST(Grouping, LeavesTheBitsOfAStepAlone) {
  for (const bool tied : {false, true}) {
    auto config = five_blocks();
    config.tie_embeddings = tied;
    const auto values = reference::random_parameters(config, 7);
    const auto batch = reference::random_batch(config.vocabulary, 2, 7, 8);
    ProductionModel plain{config, {2, 7}, {}, values};
    const double loss = plain.forward_backward(batch).numerator().value();
    plain.forward_backward(batch);
    for (const Grouping& grouping : {Grouping::blocks(5, 2), Grouping::whole()}) {
      ProductionModel grouped{config, {2, 7}, {.grouping = grouping}, values};
      EXPECT_EQ(grouped.forward_backward(batch).numerator().value(), loss);
      grouped.forward_backward(batch);
      EXPECT_EQ(grouped.gradients(), plain.gradients());
    }
  }
}

/// Hands out rooms that still hold what another unit left there.
class OverwrittenRooms final : public ParameterSource {
 public:
  explicit OverwrittenRooms(WholeParameters& parameters) : parameters_{&parameters} {
    for (const auto& unit : parameters.table().units()) {
      rooms.emplace_back(unit.padded_numel(), std::numeric_limits<float>::quiet_NaN());
    }
  }

  ConstElements acquire(UnitId unit) override { return parameters_->acquire(unit); }
  void release(UnitId unit) override { parameters_->release(unit); }
  GradientRoom gradient_room(UnitId unit) override {
    return {rooms.at(unit), kernels::Store::overwrite};
  }
  void gradient_ready(UnitId) override {}

  std::vector<std::vector<float>> rooms;

 private:
  WholeParameters* parameters_;
};

TEST(Grouping, AMicroBatchFillsEveryTensorOfARoom) {
  for (const bool tied : {false, true}) {
    auto config = five_blocks();
    config.tie_embeddings = tied;
    const auto values = reference::random_parameters(config, 7);
    const auto batch = reference::random_batch(config.vocabulary, 2, 7, 8);
    for (const Grouping& grouping : {Grouping{}, Grouping::blocks(5, 2), Grouping::whole()}) {
      ProductionModel production{config, {2, 7}, {.grouping = grouping}, values};
      production.forward_backward(batch);
      OverwrittenRooms source{production.parameters()};
      production.transformer().forward_backward(test::as_model_batch(batch), source, 1.0f);

      reference::Parameters<double> gradients;
      for (const auto& parameter : production.transformer().table().parameters()) {
        const auto tensor = std::span<const float>{source.rooms[parameter.unit]}.subspan(
            parameter.offset, parameter.numel);
        gradients[parameter.name].assign(tensor.begin(), tensor.end());
      }
      reference::expect_near(gradients, production.gradients(), {1e-6, 0.0});
    }
  }
}

TEST(UnitViews, FindTheTensorsOfABlockInAnyGrouping) {
  const auto config = five_blocks();
  for (const Grouping& grouping : {Grouping{}, Grouping::blocks(5, 2), Grouping::whole()}) {
    const ParameterTable table{config, grouping};
    for (std::size_t layer = 0; layer < config.layers; ++layer) {
      const auto& gate = table.find(fmt::format("block.{}.w_gate", layer));
      WholeParameters fp32{table, WholeParameters::Gradients::kept};
      const UnitGradients rooms{fp32, table, table.depth_of(layer)};
      const auto gradient = block_tensors(table, layer, rooms).at(1).own.at(0);
      EXPECT_EQ(gradient.data(), fp32.gradient(gate).data());
      EXPECT_EQ(gradient.size(), gate.numel);

      WholeParameters bf16{table, WholeParameters::Gradients::none, ElementType::bf16};
      const UnitLeases leases{bf16, table, table.depth_of(layer)};
      const auto weight = block_tensors(table, layer, leases).at(1).own.at(0);
      EXPECT_EQ(weight.data(), bf16.acquire(gate.unit).data() + 2 * gate.offset);
      EXPECT_EQ(weight.size(), gate.numel);
      EXPECT_EQ(weight.type(), ElementType::bf16);
    }
  }
}

}  // namespace
}  // namespace ballast::model
