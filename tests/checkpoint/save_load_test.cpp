#include <cmath>
#include <fstream>
#include <gtest/gtest.h>

#include "checkpoint/check.hpp"
#include "checkpoint/fixture.hpp"
#include "storage/files.hpp"

namespace ballast::checkpoint {
namespace {

TEST(Checkpoint, AnyWriterCountLoadsAtAnyReaderCount) {
  auto& world = test::world();
  const SharedFolder folder{world};
  for (int writers = 1; writers <= world.size(); ++writers) {
    const auto run = folder.path() / std::to_string(writers);
    on_ranks(writers, [&](auto& part) { save_step(part, run, 5, 77); });
    for (int readers = 1; readers <= world.size(); ++readers) {
      on_ranks(readers, [&](auto& part) {
        const Manifest manifest = expect_loads(part, find_checkpoint(run), 77);
        EXPECT_EQ(manifest.state, request_for(run, 5).state);
        EXPECT_EQ(manifest.identity, request_for(run, 5).identity);
        EXPECT_EQ(manifest.numerics, "test");
        EXPECT_EQ(manifest.writers, static_cast<std::uint64_t>(writers));
      });
    }
  }
}

TEST(Checkpoint, RanksWithoutRowsWriteAndReadToo) {
  auto& world = test::world();
  const SharedFolder folder{world};
  model::ModelConfig config = odd_config();
  config.layers = 0;  // two tensors of one granule each: fewer than there are ranks
  config.vocabulary = 7;
  config.tie_embeddings = true;
  const model::ParameterTable table{config};
  Shards shards{table, world};
  const auto result =
      save(world, shards.fill(3).layout(), shards.tensors(), request_for(folder.path(), 1));
  Shards loaded{table, world};
  (void)load(world, loaded.layout(), result.folder, loaded.tensors());
  EXPECT_EQ(loaded.differences(3), 0u);
  for (int rank = 0; rank < world.size(); ++rank) {
    const auto name =
        shard_file_name(checked_cast<std::size_t>(rank), checked_cast<std::size_t>(world.size()));
    EXPECT_TRUE(std::filesystem::exists(result.folder / name)) << name;
  }
}

TEST(Checkpoint, WeightsLoadWholeInOneProcess) {
  auto& world = test::world();
  const SharedFolder folder{world};
  const auto result = save_step(world, folder.path(), 2, 4);
  const model::ParameterTable table{odd_config()};
  std::vector<float> weights(table.total_granules() * kGranule, 1.0f);
  load_weights_of(result.folder, table, weights);
  for (std::size_t i = 0; i < table.parameters().size(); ++i) {
    const auto& parameter = table.parameters()[i];
    const std::size_t start = parameter.first_granule * kGranule;
    for (const std::size_t element : {std::size_t{0}, parameter.numel / 2, parameter.numel - 1}) {
      EXPECT_EQ(std::bit_cast<std::uint32_t>(weights[start + element]),
                std::bit_cast<std::uint32_t>(test_value(4, Part::master, i, element)))
          << parameter.name << " " << element;
    }
  }
}

TEST(Checkpoint, WeightsAloneLoadAtAnyReaderCount) {
  auto& world = test::world();
  const SharedFolder folder{world};
  const auto result = save_step(world, folder.path(), 2, 4);
  for (int readers = 1; readers <= world.size(); ++readers) {
    on_ranks(readers, [&](auto& part) {
      const model::ParameterTable table{odd_config()};
      Shards shards{table, part};
      shards.fill(4);
      std::ranges::fill(shards.values(Part::master), 0.0f);
      const Checked checkpoint = check(part, result.folder);
      CheckpointWeights source{table, checkpoint};
      load_weights(part, shards.layout(), source, shards.tensors().master);
      EXPECT_EQ(shards.differences(4), 0u) << readers << " readers";
    });
  }
}

TEST(Checkpoint, WeightsOfAnotherModelAreRefused) {
  auto& world = test::world();
  const SharedFolder folder{world};
  const auto result = save_step(world, folder.path(), 1, 4);
  model::ModelConfig config = odd_config();
  config.vocabulary = 132;
  const model::ParameterTable table{config};
  const Checked checkpoint = check(world, result.folder);
  const auto message = error_on_all_ranks(world, [&] {
    const CheckpointWeights source{table, checkpoint};
  });
  EXPECT_NE(message.find("'embedding' is [131, 32], the model wants [132, 32]"), std::string::npos)
      << message;
}

TEST(Checkpoint, ManifestListsTensorsAndFiles) {
  auto& world = test::world();
  const SharedFolder folder{world};
  const auto result = save_step(world, folder.path(), 12, 4);
  EXPECT_EQ(result.folder, folder.path() / "checkpoints/step-12");
  EXPECT_EQ(storage::read_text(folder.path() / "latest"), "checkpoints/step-12\n");
  const Manifest manifest = Manifest::read(result.folder);
  EXPECT_EQ(manifest.state_hash, result.hash);
  ASSERT_EQ(manifest.tensors.size(), model::ParameterTable{odd_config()}.parameters().size());
  EXPECT_EQ(manifest.tensors.front().name, "embedding");
  EXPECT_EQ(manifest.tensors.front().shape, (std::vector<std::uint64_t>{131, 32}));
  ASSERT_EQ(manifest.files.size(), static_cast<std::size_t>(world.size()));
  for (const auto& file : manifest.files) {
    EXPECT_EQ(storage::hash_file(result.folder / file.name), file.hash);
    EXPECT_EQ(std::filesystem::file_size(result.folder / file.name), file.bytes);
  }
}

TEST(Checkpoint, OfAnotherModelIsRefusedWithTheDifferences) {
  auto& world = test::world();
  const SharedFolder folder{world};
  const auto result = save_step(world, folder.path(), 1, 4);
  model::ModelConfig config = odd_config();
  config.layers = 2;
  config.vocabulary = 132;
  config.qk_norm = true;
  const model::ParameterTable table{config};
  Shards shards{table, world};
  const auto message = error_on_all_ranks(
      world, [&] { (void)load(world, shards.layout(), result.folder, shards.tensors()); });
  EXPECT_NE(message.find("another model"), std::string::npos) << message;
  EXPECT_NE(message.find("'embedding' is [131, 32], the model wants [132, 32]"), std::string::npos)
      << message;
  EXPECT_NE(message.find("'block.0.q_norm' [8] is missing"), std::string::npos) << message;
  EXPECT_NE(message.find("'block.2.attention_norm' [32] is not in the model"), std::string::npos)
      << message;
  EXPECT_NE(message.find("more"), std::string::npos) << message;
}

TEST(Checkpoint, HoldsTheTokenizerAndWhatItsRunWasAskedFor) {
  auto& world = test::world();
  const SharedFolder folder{world};
  const model::ParameterTable table{odd_config()};
  Shards shards{table, world};
  const std::vector<std::uint8_t> model{0, 255, '\n', 7};
  auto request = request_for(folder.path(), 4);
  request.tokenizer_model = model;
  request.settings = "[optim]\nlr = 0.1\n";
  request.lr = 0.1;
  const auto saved = save(world, shards.fill(3).layout(), shards.tensors(), request);
  const auto manifest = expect_loads(world, saved.folder, 3);
  EXPECT_EQ(tokenizer_model(manifest, saved.folder), model);
  EXPECT_EQ(manifest.settings, request.settings);
  EXPECT_EQ(manifest.lr, 0.1);

  on_root(world, [&] { std::ofstream{saved.folder / manifest.tokenizer->name} << "1234"; });
  const auto damage = try_check(world, saved.folder).damage;
  EXPECT_NE(damage.find("tokenizer.model' was altered"), std::string::npos) << damage;
}

TEST(Checkpoint, AValueThatIsNotFiniteIsFoundWhereverItIs) {
  auto& world = test::world();
  const model::ParameterTable table{odd_config()};
  for (const Part part : kParts) {
    Shards shards{table, world};
    EXPECT_EQ(find_nonfinite(world, shards.layout(), shards.tensors()), "");
    const auto segments = shards.layout().held_segments();
    if (world.rank() == world.size() - 1 && !segments.empty()) {
      const auto& last = segments.back();
      shards.values(part)[last.local_offset + last.logical_numel - 1] = std::nanf("");
    }
    const auto found = find_nonfinite(world, shards.layout(), shards.tensors());
    EXPECT_TRUE(found.starts_with(std::string{name_of(part)} + " of tensor '")) << found;
    EXPECT_NE(found.find(world.name(world.size() - 1)), std::string::npos) << found;
  }
}

TEST(Checkpoint, RoomForOneIsAskedForBeforehand) {
  auto& world = test::world();
  const SharedFolder folder{world};
  const model::ParameterTable table{odd_config()};
  Shards shards{table, world};
  EXPECT_EQ(require_room(world, shards.layout(), folder.path(), 1), "");
  const auto warning = require_room(world, shards.layout(), folder.path(), std::size_t{1} << 40);
  EXPECT_NE(warning.find("the next checkpoints need"), std::string::npos) << warning;
}

}  // namespace
}  // namespace ballast::checkpoint
