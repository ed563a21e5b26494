#include "train/measure/tune.hpp"

#include <algorithm>
#include <cmath>
#include <memory>

#include "train/measure/cold_products.hpp"

namespace ballast::train {

namespace {

using kernels::Gemm;
using kernels::GemmCall;
using kernels::GemmLibrary;
using kernels::GemmTable;

/// How much faster than the shipped choice a library must be; smaller differences are noise.
constexpr double kClearlyFaster = 1.05;

struct Runner {
  GemmLibrary library;
  std::unique_ptr<Gemm> gemm;
  std::vector<double> seconds;
};

std::vector<Runner> runners_for(ElementType type) {
  std::vector<Runner> runners;
  for (const GemmLibrary library : kernels::gemm_libraries()) {
    auto gemm = kernels::make_gemm(library);
    if (gemm->is_native(type)) runners.push_back({library, std::move(gemm), {}});
  }
  if (runners.empty()) {
    throw usage_error(
        "no library here has {} products of its own, so there is nothing to choose: leave out "
        "run.gemm_table, or tune with precision.param = fp32",
        name_of(type));
  }
  return runners;
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

/// The runner's median time in seconds, averaged over the ranks.
double mean_of_ranks(comm::Communicator& world, const Runner& runner) {
  const auto nanoseconds = std::llround(median(runner.seconds) * 1e9);
  return 1e-9 * static_cast<double>(world.sum(nanoseconds, {"tune"})) / world.size();
}

GemmLibrary winner_of(const Race& race) {
  const GemmLibrary shipped = GemmTable::shipped().choose(race.call);
  const auto fastest = std::ranges::max_element(race.entries, {}, &Race::Entry::flop_per_s);
  const auto usual = std::ranges::find(race.entries, shipped, &Race::Entry::library);
  if (usual == race.entries.end()) return fastest->library;
  return fastest->flop_per_s > kClearlyFaster * usual->flop_per_s ? fastest->library : shipped;
}

Race race_of(comm::Communicator& world, const StepProduct& product, std::vector<Runner>& runners,
             ColdProducts& cold, std::size_t rounds) {
  // The first call generates code and touches memory.
  for (Runner& runner : runners) {
    runner.seconds.clear();
    (void)cold.time(*runner.gemm, product.call);
  }
  for (std::size_t round = 0; round < rounds; ++round) {
    for (Runner& runner : runners) {
      world.barrier({"tune"});
      runner.seconds.push_back(cold.time(*runner.gemm, product.call));
    }
  }
  Race race{product.name, product.call, {}, {}};
  for (const Runner& runner : runners) {
    race.entries.push_back({runner.library, product.flop() / mean_of_ranks(world, runner)});
  }
  race.winner = winner_of(race);
  return race;
}

bool same_shape(const GemmCall& a, const GemmCall& b) {
  return a.transpose_a == b.transpose_a && a.transpose_b == b.transpose_b && a.m == b.m &&
         a.n == b.n && a.k == b.k;
}

}  // namespace

GemmTable tune(comm::Communicator& world, const Config& config, std::size_t vocabulary,
               std::size_t rounds, const std::function<void(const Race&)>& show) {
  const std::size_t tokens = config.data.micro_batch * config.data.seq_len;
  model::ModelConfig model = config.model;
  model.vocabulary = vocabulary_of(config.model, vocabulary);
  const auto products = step_products(model, tokens, config.precision.param);
  auto runners = runners_for(config.precision.param);
  ColdProducts cold{products};
  std::vector<kernels::GemmRule> rules;
  std::vector<GemmCall> seen;
  for (const StepProduct& product : products) {
    const auto is_same = [&](const GemmCall& call) { return same_shape(call, product.call); };
    if (std::ranges::any_of(seen, is_same)) continue;
    seen.push_back(product.call);
    const Race race = race_of(world, product, runners, cold, rounds);
    rules.push_back(kernels::GemmRule::of(product.call, race.winner));
    show(race);
  }
  return GemmTable{std::move(rules)};
}

}  // namespace ballast::train
