#include <cmath>
#include <gtest/gtest.h>
#include <malloc.h>

#include "train/engine_in_job.hpp"
#include "train/plan_config.hpp"
#include "train/small_dataset.hpp"

namespace ballast::train {
namespace {

using test::host_memory;
using test::kBookkeeping;
using test::world;

/// Hardly any tokens.
Config config_of(std::size_t layers) { return test::wide_config(layers, 8); }

/// Bytes that engines in training add to what the host's ranks take, every page of them touched.
std::int64_t memory_of(const Config& config, const data::Dataset& dataset) {
  ::malloc_trim(0);  // what earlier tests have freed would be taken again without being counted
  const std::int64_t before = host_memory();
  EngineInJob training{config, world(), dataset};
  auto state = training.initialize();
  training.engine.step(state, 1e-4);
  return host_memory() - before;
}

std::uint64_t parameters_of(const Config& config) {
  return model::ParameterTable{test::model_on_bytes(config)}.total_numel();
}

constexpr int kMeasurements = 4;

TEST(PersistentMemory, IsSixteenBytesAParameterOverTheRanks) {
  const SmallDataset data;
  const data::Dataset& dataset = data.dataset();
  const Config small = config_of(2);
  const Config large = config_of(10);
  // The first engine also pays for what libraries set up once.
  memory_of(small, dataset);
  const auto added = static_cast<double>(parameters_of(large) - parameters_of(small));
  // Activations of the eight more layers, for eight tokens: 8 · dim + 2 · ffn floats each.
  const double activations = 8.0 * 8.0 * 4.0 * (8.0 * 512.0 + 2.0 * 1376.0) * world().size();
  const double expected = 16.0 * added + activations;
  const double tolerance = 0.02 * expected + kBookkeeping * world().size();
  // Whether the system backs a piece of memory with a huge page is chance, and up to 2 MiB each:
  // of several measurements the nearest counts.
  double difference = 0.0;
  for (int i = 0; i < kMeasurements && std::abs(difference - expected) > tolerance; ++i) {
    difference = static_cast<double>(memory_of(large, dataset) - memory_of(small, dataset));
  }
  EXPECT_NEAR(difference, expected, tolerance);
  if (world().is_root()) {
    fmt::print("{} rank(s): {:.3f} MiB measured, {:.3f} MiB by the formula, {:.4f} of it\n",
               world().size(), difference / (1 << 20), expected / (1 << 20), difference / expected);
  }
}

}  // namespace
}  // namespace ballast::train
