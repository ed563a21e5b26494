// Measures what a probe costs per block on one thread: the moments of 2,048 sampled rows, and the
// spectrum from them. Run with --benchmark_enable_random_interleaving=true
// --benchmark_repetitions=9 on a machine that others use too.
#include <benchmark/benchmark.h>
#include <cmath>
#include <vector>

#include "base/philox.hpp"
#include "kernels/gemm/gemm_factory.hpp"
#include "monitor/spectral/moments.hpp"
#include "monitor/spectral/projection.hpp"
#include "monitor/spectral/spectrum.hpp"

namespace {

using namespace ballast;
using namespace ballast::monitor;
using benchmark::State;

constexpr std::size_t kRows = 2048;
constexpr std::size_t kModelDim = 512;

std::vector<float> noise(std::size_t count, std::uint32_t stream) {
  const Philox draw{1, RandomPurpose::probe, stream, 0};
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) {
    values[i] = static_cast<float>(2.0 * open_unit(draw(i)[0]) - 1.0);
  }
  return values;
}

/// One block's x and y = .9 x + noise.
struct Block {
  explicit Block(std::size_t m) : dim{m}, x{noise(kRows * m, 1)}, y{noise(kRows * m, 2)}, shift(m) {
    for (std::size_t i = 0; i < y.size(); ++i) y[i] = 0.9f * x[i] + 0.3f * y[i];
  }

  [[nodiscard]] std::vector<StreamRows> leaf() const {
    return {{{x.data(), kRows, dim, dim}, shift}, {{y.data(), kRows, dim, dim}, shift}};
  }

  std::size_t dim;
  std::vector<float> x, y, shift;
};

std::size_t dim_of(const State& state) { return static_cast<std::size_t>(state.range(0)); }

/// Two streams and one cross product: a long stack has about one stream a block.
void moments_of_a_block(State& state) {
  const Block block{dim_of(state)};
  const auto leaf = block.leaf();
  const MomentLayout layout{1, block.dim, Streams::chained, kRows};
  LeafMoments leaf_moments{layout};
  std::vector<std::int32_t> exponents(layout.exponents(), kLowestExponent);
  std::vector<std::int64_t> words(layout.words());
  for ([[maybe_unused]] auto _ : state) {
    leaf_moments.raise_exponents(leaf, exponents);
    leaf_moments.add(leaf, exponents, words);
    benchmark::DoNotOptimize(words.data());
    words.assign(words.size(), 0);
  }
}

void spectrum_of_a_block(State& state) {
  const Block block{dim_of(state)};
  const auto leaf = block.leaf();
  const MomentLayout layout{1, block.dim, Streams::chained, kRows};
  LeafMoments leaf_moments{layout};
  std::vector<std::int32_t> exponents(layout.exponents(), kLowestExponent);
  std::vector<std::int64_t> words(layout.words());
  leaf_moments.raise_exponents(leaf, exponents);
  leaf_moments.add(leaf, exponents, words);
  PairMoments moments{block.dim};
  SpectralSolver solver{block.dim};
  for ([[maybe_unused]] auto _ : state) {
    read_moments(layout, exponents, words, 0, moments);
    SpectralFeatures features = solver.solve(moments);
    benchmark::DoNotOptimize(features);
  }
}

void projection_of_a_stream(State& state) {
  const std::size_t rank = dim_of(state);
  const Block stream{kModelDim};
  const auto gemm = kernels::make_gemm(kernels::GemmLibrary::openblas);
  Projector projector{kModelDim, rank};
  const auto basis = noise(kModelDim * rank, 3);
  std::vector<float> out(kRows * rank);
  for ([[maybe_unused]] auto _ : state) {
    projector.project(*gemm, stream.leaf()[0], basis, out);
    benchmark::DoNotOptimize(out.data());
  }
}

void sketch_of_a_stream(State& state) {
  const std::size_t rank = dim_of(state);
  const Block stream{kModelDim};
  const auto leaf = stream.leaf();
  const auto projected = noise(kRows * rank, 3);
  const SketchLayout layout{1, kModelDim, rank, kRows};
  LeafSketch leaf_sketch{layout};
  std::vector<std::int32_t> exponents(layout.exponents(), kLowestExponent);
  std::vector<std::int64_t> words(layout.words());
  for ([[maybe_unused]] auto _ : state) {
    leaf_sketch.raise_exponents(0, leaf[0], projected, exponents);
    leaf_sketch.add(0, leaf[0], projected, exponents, words);
    benchmark::DoNotOptimize(words.data());
    words.assign(words.size(), 0);
  }
}

BENCHMARK(moments_of_a_block)->Arg(32)->Arg(64)->Arg(128)->Arg(256)->Unit(benchmark::kMillisecond);
BENCHMARK(spectrum_of_a_block)->Arg(32)->Arg(64)->Arg(128)->Arg(256)->Unit(benchmark::kMillisecond);
BENCHMARK(projection_of_a_stream)->Arg(32)->Arg(64)->Unit(benchmark::kMillisecond);
BENCHMARK(sketch_of_a_stream)->Arg(42)->Arg(74)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
