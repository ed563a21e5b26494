#include "model/parameters.hpp"

#include <cmath>
#include <gtest/gtest.h>
#include <set>
#include <vector>

#include "base/error.hpp"
#include "model/initialize.hpp"

namespace ballast::model {
namespace {

ModelConfig bench_model() {
  ModelConfig config;
  config.vocabulary = 4096;
  config.dim = 512;
  config.layers = 8;
  config.heads = 8;
  config.kv_heads = 8;
  config.ffn = 1376;
  return config;
}

TEST(ParameterTable, CountsTheBenchModel) {
  EXPECT_EQ(ParameterTable{bench_model()}.total_numel(), 29'499'904u);
}

TEST(ParameterTable, TyingLeavesOutTheHead) {
  auto config = bench_model();
  config.tie_embeddings = true;
  EXPECT_EQ(ParameterTable{config}.total_numel(), 29'499'904u - 4096u * 512u);
  EXPECT_THROW((void)ParameterTable{config}.find("head"), Error);
}

TEST(ParameterTable, TensorsFollowOneAnotherOnGranules) {
  auto config = bench_model();
  config.dim = 36;
  config.heads = 6;
  config.kv_heads = 3;
  config.ffn = 50;
  config.qk_norm = true;
  config.vocabulary = 259;
  const ParameterTable table{config};
  std::size_t granule = 0;
  std::set<std::string> names;
  for (const auto& unit : table.units()) {
    EXPECT_EQ(unit.first_granule, granule);
    for (const std::size_t row : unit.rows) {
      const auto& parameter = table.parameters()[row];
      EXPECT_EQ(parameter.first_granule, granule);
      EXPECT_EQ(parameter.offset, (granule - unit.first_granule) * kGranule);
      granule += parameter.granules();
      EXPECT_TRUE(names.insert(parameter.name).second) << parameter.name;
    }
    EXPECT_EQ(unit.first_granule + unit.granules, granule);
  }
  EXPECT_EQ(table.total_granules(), granule);
}

TEST(Initialize, AnySplitGivesTheSameTensor) {
  const ParameterTable table{bench_model()};
  const auto& wq = table.find("block.2.wq");
  std::vector<float> whole(wq.granules() * kGranule);
  initialize(wq, 5, 11, {0, wq.granules()}, whole);
  for (std::size_t first = 0; first < wq.granules(); first += 7) {
    const GranuleRange range{first, std::min<std::size_t>(7, wq.granules() - first)};
    std::vector<float> part(range.numel());
    initialize(wq, 5, 11, range, part);
    EXPECT_TRUE(std::equal(part.begin(), part.end(),
                           whole.begin() + static_cast<std::ptrdiff_t>(range.first_element())));
  }
}

TEST(Initialize, DrawsTheAskedDistribution) {
  const ParameterTable table{bench_model()};
  const auto& wo = table.find("block.0.wo");
  EXPECT_DOUBLE_EQ(wo.init_std, 0.02 / std::sqrt(16.0));
  std::vector<float> values(wo.granules() * kGranule);
  initialize(wo, 3, 1, {0, wo.granules()}, values);
  double mean = 0.0;
  double square = 0.0;
  double fourth = 0.0;
  for (const float value : values) {
    const double z = static_cast<double>(value) / wo.init_std;
    mean += z;
    square += z * z;
    fourth += z * z * z * z;
  }
  const auto n = static_cast<double>(values.size());
  EXPECT_NEAR(mean / n, 0.0, 5 / std::sqrt(n));
  EXPECT_NEAR(square / n, 1.0, 5 * std::sqrt(2 / n));
  EXPECT_NEAR(fourth / n, 3.0, 5 * std::sqrt(96 / n));
}

TEST(Initialize, TensorsAndSeedsDiffer) {
  const ParameterTable table{bench_model()};
  const auto& wq = table.find("block.0.wq");
  std::vector<float> a(kGranule);
  std::vector<float> b(kGranule);
  initialize(wq, 1, 1, {0, 1}, a);
  initialize(wq, 2, 1, {0, 1}, b);
  EXPECT_NE(a, b);
  initialize(wq, 1, 2, {0, 1}, b);
  EXPECT_NE(a, b);
}

TEST(Initialize, PaddingIsZero) {
  auto config = bench_model();
  config.dim = 36;
  config.heads = 6;
  config.kv_heads = 6;
  const ParameterTable table{config};
  for (const char* name : {"final_norm", "block.0.wq"}) {
    const auto& parameter = table.find(name);
    std::vector<float> values(parameter.granules() * kGranule, -1.0f);
    initialize(parameter, 0, 1, {0, parameter.granules()}, values);
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (i >= parameter.numel) {
        EXPECT_EQ(values[i], 0.0f);
      } else {
        EXPECT_NE(values[i], -1.0f);
      }
    }
  }
}

TEST(ModelConfig, NamesTheKeyThatDoesNotFit) {
  const auto message = [](auto change) {
    ModelConfig config;
    change(config);
    try {
      config.validate();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::usage);
      return std::string{error.what()};
    }
    return std::string{};
  };
  EXPECT_EQ(message([](auto&) {}), "");
  EXPECT_NE(message([](auto& c) { c.heads = 3; }).find("model.heads = 3"), std::string::npos);
  EXPECT_NE(message([](auto& c) { c.kv_heads = 3; }).find("model.kv_heads = 3"), std::string::npos);
  EXPECT_NE(message([](auto& c) { c.layers = 0; }).find("model.layers"), std::string::npos);
  EXPECT_NE(message([](auto& c) { c.dim = 12; }).find("odd"), std::string::npos);
}

}  // namespace
}  // namespace ballast::model
