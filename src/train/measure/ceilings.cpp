#include "train/measure/ceilings.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <vector>

#include "base/clock.hpp"
#include "kernels/elementwise.hpp"
#include "train/measure/cold_products.hpp"

namespace ballast::train {

namespace {

/// Timed rounds, of which the median counts; one untimed round before generates code and touches
/// memory.
constexpr std::size_t kRounds = 3;
/// The most FLOP of a round: if a micro-batch has more, the round takes fewer tokens.
constexpr double kRoundFlop = 1e11;
constexpr std::size_t kFewestTokens = 128;
constexpr std::size_t kSumBytes = std::size_t{64} << 20;

double flop_of(const std::vector<StepProduct>& products) {
  double flop = 0.0;
  for (const StepProduct& product : products) flop += product.flop();
  return flop;
}

/// Tokens of a micro-batch, or fewer, so that a round has at most kRoundFlop.
std::size_t tokens_of_a_round(const model::ModelConfig& config, std::size_t tokens,
                              ElementType type) {
  const double flop = flop_of(step_products(config, tokens, type));
  if (flop <= kRoundFlop) return tokens;
  const auto fewer = static_cast<std::size_t>(static_cast<double>(tokens) * kRoundFlop / flop);
  return std::min(tokens, std::max(kFewestTokens, fewer));
}

/// FLOP/s over all products, each measured once and weighted by its count in a step.
double round_of(const kernels::Gemm& gemm, const std::vector<StepProduct>& products,
                ColdProducts& cold) {
  double seconds = 0.0;
  double flop = 0.0;
  for (const StepProduct& product : products) {
    seconds += product.count * cold.time(gemm, product.call);
    flop += product.count * product.flop();
  }
  return flop / seconds;
}

/// The median of a few rounds, averaged over the ranks, which all work at once. `round` returns a
/// rate.
template <class Round>
double measure(comm::Communicator& world, Round&& round) {
  std::array<double, kRounds> rates{};
  (void)round();
  for (double& rate : rates) {
    world.barrier({"calibration"});
    rate = round();
  }
  std::ranges::sort(rates);
  const double sum =
      static_cast<double>(world.sum(std::llround(rates[kRounds / 2]), {"calibration"}));
  return sum / world.size();
}

double measure_products(comm::Communicator& world, const kernels::Gemm& gemm,
                        const std::vector<StepProduct>& products) {
  ColdProducts cold{products};
  return measure(world, [&] { return round_of(gemm, products, cold); });
}

double measure_memory(comm::Communicator& world) {
  ColdMemory x{kSumBytes}, sum{kSumBytes};
  return measure(world, [&] {
    const Stopwatch watch;
    kernels::accumulate(x.all(), sum.all());
    return 3.0 * static_cast<double>(x.all().size_bytes()) / watch.elapsed_s();
  });
}

}  // namespace

Ceilings measure_ceilings(comm::Communicator& world, const kernels::Gemm& gemm,
                          const model::ModelConfig& config, model::BatchShape shape,
                          ElementType compute) {
  Ceilings ceilings;
  for (const ElementType type : {compute, ElementType::fp32}) {
    double& ceiling = ceilings.products[static_cast<std::size_t>(type)];
    if (ceiling != 0.0) continue;
    const std::size_t tokens = tokens_of_a_round(config, shape.tokens(), type);
    ceiling = measure_products(world, gemm, step_products(config, tokens, type));
  }
  ceilings.memory = measure_memory(world);
  return ceilings;
}

std::string describe(const Ceilings& ceilings) {
  std::string text;
  for (const ElementType type : {ElementType::bf16, ElementType::fp16, ElementType::fp32}) {
    const double rate = ceilings.products_of(type);
    if (rate != 0.0)
      text += fmt::format("{} products {:.1f} GFLOP/s, ", name_of(type), rate * 1e-9);
  }
  return text + fmt::format("memory {:.1f} GB/s", ceilings.memory * 1e-9);
}

}  // namespace ballast::train
