#include <fstream>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "checkpoint/fixture.hpp"
#include "storage/files.hpp"

namespace ballast::checkpoint {
namespace {

using test::world;

model::ParameterTable table_of(const char* frozen, const model::Grouping& grouping = {}) {
  return model::ParameterTable{odd_config(), grouping, model::Freeze::parse(frozen).value()};
}

/// Saves a model of which a part is frozen as step `step` of a run.
SaveResult save_frozen(const char* frozen, const std::filesystem::path& run_dir,
                       std::uint64_t step) {
  const auto table = table_of(frozen);
  Shards shards{table, world()};
  return save(world(), shards.fill(5).layout(), shards.tensors(), request_for(run_dir, step));
}

const std::vector<const char*> kPatterns{"embedding", "*.w*,head", "block.*", "block.1.*"};

TEST(FrozenCheckpoint, LoadsAtAnyReaderCountAndGrouping) {
  const SharedFolder folder{world()};
  std::uint64_t step = 1;
  for (const char* frozen : kPatterns) {
    const auto saved = save_frozen(frozen, folder.path(), step++);
    for (const auto& grouping :
         {model::Grouping{}, model::Grouping::blocks(3, 2), model::Grouping::whole()}) {
      for (int readers = 1; readers <= world().size(); ++readers) {
        on_ranks(readers, [&](auto& part) {
          const auto regrouped = table_of(frozen, grouping);
          Shards read{regrouped, part};
          const Manifest manifest = load(part, read.layout(), saved.folder, read.tensors());
          EXPECT_EQ(read.differences(5), 0u) << frozen << " at " << readers;
          EXPECT_EQ(state_hash(part, read.layout(), read.tensors(), manifest.state), saved.hash);
        });
      }
    }
  }
}

TEST(FrozenCheckpoint, HoldsNoMomentsOfWhatIsFrozen) {
  const SharedFolder folder{world()};
  const auto bytes_of = [&](const char* frozen, std::uint64_t step) {
    const auto saved = save_frozen(frozen, folder.path(), step);
    std::uint64_t bytes = 0;
    for (const auto& file : Manifest::read(saved.folder).files) bytes += file.bytes;
    return bytes;
  };
  const std::uint64_t all = bytes_of("none", 1);
  const std::uint64_t some = bytes_of("embedding,block.*", 2);
  const auto frozen = table_of("embedding,block.*");
  std::uint64_t trained = 0;
  for (const auto& row : frozen.parameters()) {
    trained += frozen.trains(row) ? row.granules() : 0;
  }
  const std::uint64_t spared = 2 * (frozen.total_granules() - trained) * kGranule * sizeof(float);
  EXPECT_EQ(all - some, spared);
}

TEST(FrozenCheckpoint, TheHashCoversWhatIsFrozenToo) {
  const auto table = table_of("embedding");
  Shards shards{table, world()};
  shards.fill(5);
  const TrainingState state{.step = 3};
  const Hash128 before = state_hash(world(), shards.layout(), shards.tensors(), state);
  const auto segments = shards.layout().owned_segments();
  const bool has_frozen = !segments.empty() && !shards.layout().trains(segments.back());
  if (has_frozen) shards.values(Part::master)[segments.back().local_offset] = 1.0f;
  EXPECT_NE(state_hash(world(), shards.layout(), shards.tensors(), state), before);
}

TEST(FrozenCheckpoint, AnAlteredGranuleIsNamed) {
  const SharedFolder folder{world()};
  const auto saved = save_frozen("embedding", folder.path(), 1);
  EXPECT_EQ(try_check(world(), saved.folder).damage, "");
  on_root(world(), [&] {
    // The last granule of the first rank's masters is one of the embedding's.
    const auto path = saved.folder / shard_file_name(0, static_cast<std::size_t>(world().size()));
    const std::string bytes = storage::read_text(path);
    std::vector<float> last(kGranule);
    const ShardFile file{path};
    file.read(Part::master, {file.granules() - 1, 1}, last);
    const std::string_view needle{reinterpret_cast<const char*>(last.data()), 64};
    const std::size_t at = bytes.find(needle);
    ASSERT_NE(at, std::string::npos);
    std::fstream stream{path, std::ios::in | std::ios::out | std::ios::binary};
    stream.seekp(static_cast<std::streamoff>(at));
    stream.put(static_cast<char>(bytes[at] ^ 1));
  });
  const auto damage = try_check(world(), saved.folder).damage;
  EXPECT_NE(damage.find("in tensor 'embedding'"), std::string::npos) << damage;
}

TEST(FrozenCheckpoint, WhatWasFrozenCannotGoOnTraining) {
  const SharedFolder folder{world()};
  const auto saved = save_frozen("embedding", folder.path(), 1);
  const model::ParameterTable table{odd_config()};
  Shards read{table, world()};
  const auto message = error_on_all_ranks(
      world(), [&] { (void)load(world(), read.layout(), saved.folder, read.tensors()); });
  EXPECT_NE(
      message.find("has no moment1 of a tensor that trains now but was frozen when it was saved"),
      std::string::npos)
      << message;
}

TEST(FrozenCheckpoint, WeightsOfOneThatTrainsLoadIntoOneThatIsFrozen) {
  const SharedFolder folder{world()};
  const auto saved = save_step(world(), folder.path(), 2, 4);
  for (const char* frozen : kPatterns) {
    const auto table = table_of(frozen, model::Grouping::whole());
    Shards shards{table, world()};
    shards.fill(4);
    std::ranges::fill(shards.values(Part::master), 0.0f);
    const Checked checkpoint = check(world(), saved.folder);
    CheckpointWeights source{table, checkpoint};
    load_weights(world(), shards.layout(), source, shards.tensors().master);
    EXPECT_EQ(shards.differences(4), 0u) << frozen;
  }
}

}  // namespace
}  // namespace ballast::checkpoint
