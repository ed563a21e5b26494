// Measures what quantizing for GGUF takes, one thread: bytes of fp32 values a second, for each type
// of blocks. Run with --benchmark_enable_random_interleaving=true --benchmark_repetitions=9 on a
// machine that others use too.
#include <benchmark/benchmark.h>
#include <cstdint>
#include <string>
#include <vector>

#include "base/philox.hpp"
#include "formats/gguf/blocks/block_codec.hpp"

namespace {

using namespace ballast;
using benchmark::State;
using formats::BlockType;

constexpr std::size_t kColumns = 2048;
constexpr std::size_t kValues = 1024 * kColumns;

/// Nearly normal, as weights are: the sum of four uniform numbers.
std::vector<float> weights() {
  std::vector<float> values(kValues);
  for (std::size_t i = 0; i < values.size(); ++i) {
    float sum = 0.0f;
    for (const std::uint32_t word : Philox{1, RandomPurpose::probe, 0, 0}(i)) {
      sum += static_cast<float>(word >> 8) * 0x1p-24f - 0.5f;
    }
    values[i] = 0.03f * sum;
  }
  return values;
}

void count_bytes(State& state) {
  const auto bytes = static_cast<double>(state.iterations()) * kValues * sizeof(float);
  state.counters["B/s"] = benchmark::Counter(bytes, benchmark::Counter::kIsRate);
}

void quantize_type(State& state, BlockType type) {
  const auto values = weights();
  std::vector<std::uint8_t> bytes(formats::stored_bytes(type, kValues));
  for (auto _ : state) benchmark::DoNotOptimize(formats::quantize(type, values, bytes));
  count_bytes(state);
}

void quantize_type_weighted(State& state, BlockType type) {
  const auto values = weights();
  const std::vector<float> importance(kColumns, 1.0f);
  std::vector<std::uint8_t> bytes(formats::stored_bytes(type, kValues));
  for (auto _ : state) {
    benchmark::DoNotOptimize(formats::quantize_weighted(type, values, importance, bytes));
  }
  count_bytes(state);
}

void dequantize_type(State& state, BlockType type) {
  std::vector<float> values = weights();
  std::vector<std::uint8_t> bytes(formats::stored_bytes(type, kValues));
  benchmark::DoNotOptimize(formats::quantize(type, values, bytes));
  for (auto _ : state) {
    formats::dequantize(type, bytes, values);
    benchmark::ClobberMemory();
  }
  count_bytes(state);
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  for (const auto& row : names<BlockType>()) {
    const std::string word{row.word};
    benchmark::RegisterBenchmark(("quantize/" + word).c_str(), quantize_type, row.value);
    benchmark::RegisterBenchmark(("weighted/" + word).c_str(), quantize_type_weighted, row.value);
    benchmark::RegisterBenchmark(("dequantize/" + word).c_str(), dequantize_type, row.value);
  }
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
