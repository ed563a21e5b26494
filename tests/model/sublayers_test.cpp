#include "model/sublayers.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <set>
#include <string>

#include "model/flop.hpp"
#include "model/unit_views.hpp"
#include "model/whole_parameters.hpp"
#include "reference/variants.hpp"

namespace ballast::model {
namespace {

class Sublayers : public testing::TestWithParam<reference::Variant> {};

bool is_there(const TensorSpec& tensor) {
  return std::ranges::all_of(tensor.shape, [](std::size_t size) { return size != 0; });
}

TEST_P(Sublayers, EveryTensorOfAListIsFoundByItsPlace) {
  const ModelConfig& config = GetParam().config;
  const ParameterTable table{config};
  WholeParameters parameters{table, WholeParameters::Gradients::kept};
  for (std::size_t layer = 0; layer < config.layers; ++layer) {
    const UnitGradients rooms{parameters, table, table.depth_of(layer)};
    const auto tensors = block_tensors(table, layer, rooms);
    const auto kinds = config.sublayers_of(layer);
    for (std::size_t i = 0; i < kinds.size(); ++i) {
      const SublayerSpec spec = list_of(kinds[i], config);
      for (std::size_t t = 0; t < spec.tensors.size(); ++t) {
        const auto& view = tensors[i].own[t];
        if (!is_there(spec.tensors[t])) {
          EXPECT_TRUE(view.empty()) << spec.tensors[t].name;
          continue;
        }
        const auto& row = table.find(fmt::format("block.{}.{}", layer, spec.tensors[t].name));
        EXPECT_EQ(view.data(), parameters.gradient(row).data()) << row.name;
        EXPECT_EQ(view.size(), row.numel) << row.name;
        EXPECT_EQ(row.shape, spec.tensors[t].shape) << row.name;
        EXPECT_EQ(row.role, spec.tensors[t].role) << row.name;
      }
      const bool has_gain = config.has_input_norms() || config.has_stream_norms();
      EXPECT_EQ(tensors[i].gain.size(), has_gain ? config.dim : 0u);
      EXPECT_EQ(tensors[i].output_gain.size(), config.has_output_norms() ? config.dim : 0u);
    }
  }
}

TEST_P(Sublayers, NoNameOfABlockStandsTwice) {
  const ModelConfig& config = GetParam().config;
  std::set<std::string_view> names;
  for (const SublayerKind kind : config.sublayers_of(0)) {
    const SublayerSpec spec = list_of(kind, config);
    EXPECT_TRUE(names.insert(spec.norm).second) << spec.norm;
    EXPECT_TRUE(names.insert(spec.output_norm).second) << spec.output_norm;
    for (const auto& tensor : spec.tensors) {
      EXPECT_TRUE(names.insert(tensor.name).second) << tensor.name;
      EXPECT_EQ(is_linear(tensor.role), tensor.shape.size() == 2) << tensor.name;
      EXPECT_EQ(is_linear(tensor.role), !tensor.label.empty()) << tensor.name;
    }
  }
}

TEST_P(Sublayers, ArithmeticIsThatOfAllMatrices) {
  const ModelConfig& config = GetParam().config;
  constexpr std::size_t kSeqLen = 7;
  std::size_t matrices = config.vocabulary * config.dim;  // the head, tied or not
  const ParameterTable table{config};
  for (std::size_t layer = 0; layer < config.layers; ++layer) {
    for (const auto& row : table.parameters_of_layer(layer)) {
      if (is_linear(row.role)) matrices += row.numel;
    }
  }
  double seen = 0.0;  // tokens that one token sees in all layers, itself counted half
  for (std::size_t layer = 0; layer < config.layers; ++layer) {
    const std::size_t window = config.window.of(layer);
    for (std::size_t token = 0; token < kSeqLen; ++token) {
      const double before = static_cast<double>(token) + 0.5;
      seen += window == 0 ? before : std::min(before, static_cast<double>(window));
    }
  }
  const double attention = 12.0 * seen / kSeqLen * static_cast<double>(config.q_dim());
  EXPECT_NEAR(training_flop_per_token(config, kSeqLen),
              static_cast<double>(6 * matrices) + attention, 1e-3);
}

INSTANTIATE_TEST_SUITE_P(Variants, Sublayers,
                         testing::ValuesIn(reference::chosen_variants(reference::uneven_shape(),
                                                                      3)),
                         [](const auto& variant) { return variant.param.name; });

TEST(SublayerKinds, EachHasANameOfItsOwn) {
  std::set<std::string_view> names;
  for (const SublayerKind kind : kSublayerKinds) EXPECT_TRUE(names.insert(name_of(kind)).second);
}

}  // namespace
}  // namespace ballast::model
