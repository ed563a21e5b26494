#include <gtest/gtest.h>

#include "base/process.hpp"
#include "train/engine.hpp"
#include "train/plan_config.hpp"

namespace ballast::train {
namespace {

using test::DatasetFile;
using test::world;

/// Wide enough that weights outweigh what the allocator does on the side; hardly any tokens.
Config config_of(std::size_t layers) {
  Config config;
  config.model.vocabulary = 259;
  config.model.dim = 512;
  config.model.layers = layers;
  config.model.heads = 8;
  config.model.kv_heads = 8;
  config.model.ffn = 1376;
  config.data.seq_len = 8;
  config.data.micro_batch = 1;
  config.data.global_batch = static_cast<std::size_t>(world().size());
  return config;
}

/// Bytes that an engine in training keeps private to this rank, every page of them touched.
std::uint64_t memory_of(const Config& config, const data::Dataset& dataset) {
  const std::uint64_t before = memory_use().anonymous;
  Engine engine{config, world(), dataset};
  engine.initialise();
  checkpoint::TrainingState state{.seed = config.run.seed};
  engine.step(state, 1e-4, false);
  return memory_use().anonymous - before;
}

std::uint64_t parameters_of(const Config& config) {
  return model::ParameterTable{config.model}.total_numel();
}

// The address sanitizer keeps an account of its own, some 8 MiB whatever the number of ranks.
#ifdef __SANITIZE_ADDRESS__
constexpr double kBookkeeping = 10.0 * (1 << 20);
#else
constexpr double kBookkeeping = 0.0;
#endif

TEST(PersistentMemory, IsSixteenBytesAParameterOverTheRanks) {
  const DatasetFile file;
  const data::Dataset dataset{file.path()};
  const Config small = config_of(2);
  const Config large = config_of(10);
  // The first engine also pays for what libraries set up once.
  memory_of(small, dataset);
  const auto difference = static_cast<double>(memory_of(large, dataset)) -
                          static_cast<double>(memory_of(small, dataset));

  const auto added = static_cast<double>(parameters_of(large) - parameters_of(small));
  // Activations of the eight more layers, for eight tokens: 8 · dim + 2 · ffn floats each.
  const double activations = 8.0 * 8.0 * 4.0 * (8.0 * 512.0 + 2.0 * 1376.0);
  const double expected = 16.0 * added / world().size() + activations;
  EXPECT_NEAR(difference, expected, 0.02 * expected + kBookkeeping);
  if (world().is_root()) {
    fmt::print("{} rank(s): {:.3f} MiB measured, {:.3f} MiB by the formula, {:.4f} of it\n",
               world().size(), difference / (1 << 20), expected / (1 << 20), difference / expected);
  }
}

}  // namespace
}  // namespace ballast::train
