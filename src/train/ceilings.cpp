#include "train/ceilings.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <vector>

#include "base/clock.hpp"
#include "kernels/elementwise.hpp"
#include "model/flop.hpp"

namespace ballast::train {

namespace {

using kernels::matrix;
using kernels::Operand;
using kernels::Store;
using kernels::Transpose;
using model::Linear;

/// Rounds that are timed, after one that generates code and touches memory; their median counts.
constexpr std::size_t kRounds = 3;
/// A round of products: fewer tokens where a whole micro-batch would take longer.
constexpr double kRoundFlop = 1e11;
constexpr std::size_t kFewestTokens = 128;
/// The head's products in a step are of chunks; their logits fill this many floats.
constexpr std::size_t kHeadFloats = std::size_t{8} << 20;
/// Larger than a core's share of any cache.
constexpr std::size_t kPoolBytes = std::size_t{64} << 20;

/// Memory that is handed out over and over, so that what is handed out has left the caches.
class Pool {
 public:
  explicit Pool(std::size_t bytes) : values_(std::max(bytes, kPoolBytes) / sizeof(float), 0.5f) {}

  /// Holds valid numbers of any type: 0.5 in fp32, small ones in halves.
  [[nodiscard]] std::byte* take(std::size_t bytes) {
    const std::size_t floats = (bytes + sizeof(float) - 1) / sizeof(float);
    if (at_ + floats > values_.size()) at_ = 0;
    auto* const taken = reinterpret_cast<std::byte*>(values_.data() + at_);
    at_ += (floats + kAlignment - 1) / kAlignment * kAlignment;
    return taken;
  }
  [[nodiscard]] std::span<float> all() { return values_; }

 private:
  static constexpr std::size_t kAlignment = 16;  // floats

  std::vector<float> values_;
  std::size_t at_ = 0;
};

/// A linear layer, the tokens of one product, and how much of a step it stands for.
struct Job {
  Linear linear;
  std::size_t tokens;
  double weight;

  [[nodiscard]] double flop() const {
    return 6.0 * static_cast<double>(linear.out * linear.in * tokens);
  }
};

std::vector<Job> jobs_of(const model::ModelConfig& config, std::size_t tokens) {
  const auto layers = static_cast<double>(config.layers);
  std::vector<Job> jobs;
  for (const Linear& linear : model::linears_of_block(config)) {
    jobs.push_back({linear, tokens, layers});
  }
  const std::size_t chunk =
      std::min(tokens, std::max<std::size_t>(64, kHeadFloats / config.vocabulary));
  jobs.push_back(
      {model::head_of(config), chunk, static_cast<double>(tokens) / static_cast<double>(chunk)});
  return jobs;
}

/// Tokens of a micro-batch, or as many as a round has time for.
std::size_t tokens_of_a_round(const model::ModelConfig& config, std::size_t tokens) {
  double flop = 0.0;
  for (const Job& job : jobs_of(config, tokens)) flop += job.flop();
  if (flop <= kRoundFlop) return tokens;
  const auto fewer = static_cast<std::size_t>(static_cast<double>(tokens) * kRoundFlop / flop);
  return std::min(tokens, std::max(kFewestTokens, fewer));
}

class Products {
 public:
  Products(const kernels::Gemm& gemm, std::vector<Job> jobs, ElementType type)
      : gemm_{&gemm},
        jobs_{std::move(jobs)},
        type_{type},
        read_{largest_matrix() * size_of(type) * 2},
        written_{largest_matrix() * sizeof(float)} {}

  /// FLOP/s of one round.
  [[nodiscard]] double round() {
    double seconds = 0.0;
    double flop = 0.0;
    for (const Job& job : jobs_) {
      const Stopwatch watch;
      multiply(job);
      seconds += job.weight * watch.elapsed_s();
      flop += job.weight * job.flop();
    }
    return flop / seconds;
  }

 private:
  [[nodiscard]] std::size_t largest_matrix() const {
    std::size_t largest = 0;
    for (const auto& [linear, tokens, weight] : jobs_) {
      largest =
          std::max({largest, linear.out * linear.in, tokens * linear.out, tokens * linear.in});
    }
    return largest;
  }

  void multiply(const Job& job) {
    const auto& [linear, tokens, weight] = job;
    const auto read = [&](std::size_t rows, std::size_t cols) {
      return Operand{ConstElements{read_.take(rows * cols * size_of(type_)), rows * cols, type_},
                     rows, cols};
    };
    const auto written = [&](std::size_t rows, std::size_t cols) {
      return matrix(reinterpret_cast<float*>(written_.take(rows * cols * sizeof(float))), rows,
                    cols);
    };
    const auto x = [&] { return read(tokens, linear.in); };
    const auto w = [&] { return read(linear.out, linear.in); };
    const auto dy = [&] { return read(tokens, linear.out); };
    gemm_->multiply(x(), Transpose::no, w(), Transpose::yes, written(tokens, linear.out),
                    Store::overwrite);
    gemm_->multiply(dy(), Transpose::no, w(), Transpose::no, written(tokens, linear.in),
                    Store::overwrite);
    gemm_->multiply(dy(), Transpose::yes, x(), Transpose::no, written(linear.out, linear.in),
                    Store::overwrite);
  }

  const kernels::Gemm* gemm_;
  std::vector<Job> jobs_;
  ElementType type_;
  Pool read_, written_;
};

/// The median of a few rounds, all ranks at once, and the mean of the ranks. `round` gives a rate.
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
                        const std::vector<Job>& jobs, ElementType type) {
  Products products{gemm, jobs, type};
  return measure(world, [&] { return products.round(); });
}

double measure_memory(comm::Communicator& world) {
  Pool x{kPoolBytes}, sum{kPoolBytes};
  return measure(world, [&] {
    const Stopwatch watch;
    kernels::accumulate(x.all(), sum.all());
    return 3.0 * static_cast<double>(kPoolBytes) / watch.elapsed_s();
  });
}

}  // namespace

Ceilings measure_ceilings(comm::Communicator& world, const kernels::Gemm& gemm,
                          const model::ModelConfig& config, model::BatchShape shape,
                          ElementType compute) {
  const auto jobs = jobs_of(config, tokens_of_a_round(config, shape.tokens()));
  Ceilings ceilings;
  for (const ElementType type : {compute, ElementType::fp32}) {
    double& ceiling = ceilings.products[static_cast<std::size_t>(type)];
    if (ceiling == 0.0) ceiling = measure_products(world, gemm, jobs, type);
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
