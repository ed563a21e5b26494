// Measures what reading takes where the pages are in memory: windows of a dataset, its blocks'
// hashes, and the parts of a checkpoint's file. bench_storage FOLDER [options of Google Benchmark]
// makes its two files in FOLDER where they are not there (38 and 384 MiB, kept for the next call,
// so that another build reads the same ones). Run with --benchmark_enable_random_interleaving=true
// --benchmark_repetitions=9 on a machine that others use too.
#include <array>
#include <benchmark/benchmark.h>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <vector>

#include "base/philox.hpp"
#include "checkpoint/manifest.hpp"
#include "checkpoint/shard_file.hpp"
#include "data/dataset.hpp"
#include "data/dataset_writer.hpp"
#include "data/tokenizers/tokenizer.hpp"
#include "storage/h5/writer.hpp"

namespace {

using namespace ballast;
using benchmark::State;

constexpr std::size_t kTokens = std::size_t{64} << 20;
constexpr std::size_t kSeqLen = 1024;
constexpr std::size_t kGranules = std::size_t{32} << 10;

std::uint32_t random_word(std::uint64_t position) {
  return Philox{1, RandomPurpose::probe, 0, 0}(position)[0];
}

/// Letters by chance: the half of their bits is left when they are packed.
void make_dataset(const std::filesystem::path& path) {
  const auto tokenizer = data::make_byte_tokenizer();
  data::DatasetWriter writer{path, *tokenizer, data::LossWeights::none};
  writer.begin_document(data::Split::train);
  std::vector<std::int32_t> ids(1 << 16);
  for (std::size_t done = 0; done < kTokens; done += ids.size()) {
    for (std::size_t i = 0; i < ids.size(); ++i) {
      ids[i] = static_cast<std::int32_t>(random_word(done + i) & 15u);
    }
    writer.append(data::Split::train, ids);
  }
  writer.append(data::Split::validation, std::vector<std::int32_t>(4096, 7));
  writer.finish("by hand", {});
}

void make_shard(const std::filesystem::path& path) {
  storage::H5Writer file{path};
  file.set_attribute("format_version", checkpoint::Manifest::kFormatVersion);
  file.set_attribute("granule", std::uint64_t{kGranule});
  file.write<std::uint64_t>("rows", std::vector<std::uint64_t>{0, 0, kGranules});
  std::vector<float> values(kGranules * kGranule);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 1021);
  for (const auto part : checkpoint::kParts) {
    file.write<float>(std::string{name_of(part)}, values);
  }
  file.close();
}

void open_dataset(State& state, const std::filesystem::path& path) {
  for ([[maybe_unused]] auto _ : state) {
    benchmark::DoNotOptimize(data::Dataset{path}.info().train_tokens);
  }
}

/// Windows as a sampler draws them, whose blocks another process has verified.
void read_windows(State& state, const std::filesystem::path& path, bool in_order) {
  const data::Dataset dataset{path};
  dataset.trust_blocks();
  const std::size_t windows = dataset.windows(data::Split::train, kSeqLen);
  std::array<std::int32_t, kSeqLen> inputs{}, labels{}, segments{};
  std::array<float, kSeqLen> weights{};
  std::uint64_t drawn = 0;
  for ([[maybe_unused]] auto _ : state) {
    const std::size_t window = (in_order ? drawn : random_word(drawn)) % windows;
    dataset.read_window(data::Split::train, kSeqLen, window, {inputs, labels, segments, weights});
    ++drawn;
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(drawn * kSeqLen));
}

/// All of it, as before a training.
void verify_dataset(State& state, const std::filesystem::path& path) {
  for ([[maybe_unused]] auto _ : state) {
    const data::Dataset dataset{path};
    for (std::size_t block = 0; block < dataset.blocks(); ++block) dataset.verify_block(block);
  }
}

void open_shard(State& state, const std::filesystem::path& path) {
  for ([[maybe_unused]] auto _ : state) {
    benchmark::DoNotOptimize(checkpoint::ShardFile{path}.granules());
  }
}

/// As loading reads a file: its parts in turn, a piece at a time.
void read_shard(State& state, const std::filesystem::path& path) {
  const checkpoint::ShardFile shard{path};
  std::vector<float> piece(checkpoint::kPieceGranules * kGranule);
  std::size_t first = 0;
  std::int64_t bytes = 0;
  for ([[maybe_unused]] auto _ : state) {
    for (const auto part : checkpoint::kParts) {
      shard.read(part, {first, checkpoint::kPieceGranules}, piece);
      bytes += static_cast<std::int64_t>(piece.size() * sizeof(float));
    }
    first = (first + checkpoint::kPieceGranules) % kGranules;
  }
  state.SetBytesProcessed(bytes);
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 2) {
    std::fputs("usage: bench_storage FOLDER [options of Google Benchmark]\n", stderr);
    return 2;
  }
  const std::filesystem::path folder = arguments[1];
  const auto dataset = folder / "bench-dataset.h5";
  const auto shard = folder / "bench-shard.h5";
  if (!std::filesystem::exists(dataset)) make_dataset(dataset);
  if (!std::filesystem::exists(shard)) make_shard(shard);
  benchmark::Initialize(&count, arguments);
  benchmark::RegisterBenchmark("open_dataset", open_dataset, dataset);
  benchmark::RegisterBenchmark("windows_at_random", read_windows, dataset, false);
  benchmark::RegisterBenchmark("windows_in_order", read_windows, dataset, true);
  benchmark::RegisterBenchmark("verify_dataset", verify_dataset, dataset);
  benchmark::RegisterBenchmark("open_shard", open_shard, shard);
  benchmark::RegisterBenchmark("read_shard", read_shard, shard);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
