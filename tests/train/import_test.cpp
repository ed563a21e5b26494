#include "train/offline/import.hpp"

#include <cstring>
#include <fstream>
#include <gtest/gtest.h>
#include <limits>

#include "base/hash.hpp"
#include "base/json.hpp"
#include "checkpoint/check.hpp"
#include "data/tokenizers/sentencepiece_trainer.hpp"
#include "data/tokenizers/tokenizer_files.hpp"
#include "formats/huggingface/model_config_json.hpp"
#include "train/foreign_models.hpp"
#include "train/settings/identity.hpp"
#include "train/start/saved_model.hpp"

namespace ballast::train {
namespace {

namespace fs = std::filesystem;

using checkpoint::names;
using checkpoint::on_root;
using checkpoint::SharedFolder;
using test::bytes_of_file;
using test::expect_contains;
using test::world;

/// What config.json says, in one spelling.
std::string config_of(const fs::path& folder) {
  return formats::huggingface_config_json(formats::read_huggingface_config(folder), "float32");
}

TEST(Import, AndExportGiveEveryModelBack) {
  const SharedFolder folder{world()};
  const auto models = foreign_models();
  ASSERT_EQ(models.size(), 9u);
  for (const auto& model : models) {
    SCOPED_TRACE(model.filename());
    const fs::path place = folder.path() / model.filename();
    on_root(world(), [&] { fs::create_directory(place); });
    const Imported made = import_model(world(), {model, place / "checkpoint"});
    (void)export_model(world(), export_of(place / "checkpoint", place / "hf"));
    EXPECT_EQ(bytes_of_file(place / "hf" / "model.safetensors"),
              bytes_of_file(model / "model.safetensors"));
    EXPECT_EQ(config_of(place / "hf"), config_of(model));
    EXPECT_EQ(bytes_of_file(place / "hf" / "generation_config.json"),
              bytes_of_file(model / "generation_config.json"));
    EXPECT_EQ(import_model(world(), {place / "hf", place / "again"}).hash, made.hash);
    EXPECT_EQ(names(place), (std::vector<std::string>{"again", "checkpoint", "hf"}));
  }
}

TEST(Import, MakesACheckpointOfStepZeroWithMomentsOfZero) {
  const SharedFolder folder{world()};
  const fs::path output = folder.path() / "checkpoint";
  const Imported made = import_model(world(), {foreign_model("qwen3"), output / ""});
  EXPECT_EQ(made.folder, output);
  const SavedModel saved = find_saved_model(world(), output);
  ASSERT_NE(saved.checkpoint(), nullptr);
  EXPECT_EQ(saved.step(), 0u);
  EXPECT_EQ(saved.model().own_head_dim, 16u);
  EXPECT_EQ(text_of(saved.checkpoint()->manifest.identity, "data.tokenizer"), "none");
  const model::ParameterTable table{saved.model()};
  checkpoint::Shards shards{table, world()};
  shards.fill(1);
  const auto manifest = load(world(), shards.layout(), *saved.checkpoint(), shards.tensors());
  EXPECT_EQ(manifest.state_hash, made.hash);
  for (const auto part : {checkpoint::Part::moment1, checkpoint::Part::moment2}) {
    EXPECT_EQ(std::ranges::count(shards.values(part), 0.0f), std::ssize(shards.values(part)));
  }
}

TEST(Import, OfEachNumberOfRanksIsTheSameState) {
  const SharedFolder folder{world()};
  std::vector<std::string> hashes;
  for (int ranks = 1; ranks <= world().size(); ++ranks) {
    checkpoint::on_ranks(ranks, [&](comm::Communicator& part) {
      const fs::path output = folder.path() / std::to_string(ranks);
      hashes.push_back(import_model(part, {foreign_model("llama-bias"), output}).hash.hex());
    });
  }
  EXPECT_EQ(std::ranges::count(hashes, hashes.front()), std::ssize(hashes));
}

/// The same on every rank.
std::vector<std::uint8_t> small_sentencepiece_model() {
  int texts = 0;
  return data::train_sentencepiece(300, [&](std::string& text) {
    text = "keel and mast and sail and ballast";
    return ++texts < 20;
  });
}

TEST(Import, AndExportPassASentencePieceModelOn) {
  const SharedFolder folder{world()};
  const auto model = small_sentencepiece_model();
  const std::string bytes{model.begin(), model.end()};
  auto config = checkpoint::odd_config();
  config.vocabulary = 300;
  data::DatasetInfo text = text_of_bytes();
  text.tokenizer = "sentencepiece";
  text.tokenizer_hash = hash_of(std::span{model}).hex();
  const fs::path trained = save_own(folder.path() / "run", config, text, model);

  const fs::path exported = folder.path() / "exported";
  (void)export_model(world(), export_of(trained, exported));
  EXPECT_EQ(bytes_of_file(exported / "tokenizer.model"), bytes);
  EXPECT_EQ(parse_json(bytes_of_file(exported / "tokenizer_config.json")).at("tokenizer_class"),
            "LlamaTokenizer");
  EXPECT_EQ(formats::read_huggingface_config(exported).special.eos, (std::vector<std::int32_t>{2}));

  const fs::path imported = folder.path() / "imported";
  const Imported made = import_model(world(), {exported, imported});
  if (world().is_root()) expect_contains(made.tokenizer, "the model's, of 300 tokens");
  const auto manifest = checkpoint::Manifest::read(imported);
  EXPECT_EQ(text_of(manifest.identity, "data.tokenizer_hash"), text.tokenizer_hash);
  const auto files = data::unpack_tokenizer_files(checkpoint::tokenizer_model(manifest, imported));
  EXPECT_EQ(files.at("tokenizer.model"), bytes);
  EXPECT_EQ(files.at("tokenizer_config.json"), bytes_of_file(exported / "tokenizer_config.json"));

  on_root(world(), [&] { test::write_bytes(exported / "tokenizer.model", "another model"); });
  const fs::path again = folder.path() / "again";
  (void)export_model(world(), export_of(imported, again));
  EXPECT_EQ(bytes_of_file(again / "tokenizer.model"), bytes) << "the one it was trained with";

  const Imported without = import_model(world(), {exported, folder.path() / "without"});
  if (world().is_root()) expect_contains(without.tokenizer, "none: it is not usable here: ");
}

TEST(Import, AnExportFindsTheFoldersTokenizerAsLongAsThatIsThere) {
  const SharedFolder folder{world()};
  const fs::path source = folder.path() / "so#urce";
  const fs::path output = folder.path() / "checkpoint";
  on_root(world(), [&] {
    copy_of_model("llama", source);
    test::write_bytes(source / "tokenizer.json", "{}");
  });
  (void)import_model(world(), {source, output});
  (void)export_model(world(), export_of(output, folder.path() / "with"));
  EXPECT_EQ(bytes_of_file(folder.path() / "with" / "tokenizer.json"), "{}");
  EXPECT_EQ(formats::read_huggingface_config(folder.path() / "with").special.bos, 1);

  on_root(world(), [&] { test::write_bytes(source / "config.json", "{"); });
  const Exported broken = export_model(world(), export_of(output, folder.path() / "broken"));
  if (world().is_root()) expect_contains(broken.tokenizer, "name a folder with --tokenizer");

  on_root(world(), [&] { fs::remove_all(source); });
  const Exported made = export_model(world(), export_of(output, folder.path() / "without"));
  if (world().is_root()) expect_contains(made.tokenizer, "name a folder with --tokenizer");
  EXPECT_EQ(bytes_of_file(folder.path() / "without" / "model.safetensors"),
            bytes_of_file(folder.path() / "with" / "model.safetensors"));
  EXPECT_FALSE(formats::read_huggingface_config(folder.path() / "without").special.bos);
}

TEST(Import, LeavesNothingOfAModelThatIsNoGood) {
  const SharedFolder folder{world()};
  const fs::path source = folder.path() / "source";
  on_root(world(), [&] {
    copy_of_model("llama", source);
    const float nan = std::numeric_limits<float>::quiet_NaN();
    char bytes[sizeof nan];
    std::memcpy(bytes, &nan, sizeof nan);
    const auto size = fs::file_size(source / "model.safetensors");
    test::replace_bytes(source / "model.safetensors", size - sizeof nan,
                        std::string_view{bytes, sizeof nan});
  });
  const auto refuse = [&](ExitCode code, const ImportOptions& options) {
    return error_on_all(world(), code, [&] { (void)import_model(world(), options); });
  };
  expect_contains(refuse(ExitCode::data, {source, folder.path() / "out"}), "holds nan");
  expect_contains(refuse(ExitCode::usage, {source, source}), "not an empty folder");
  expect_contains(refuse(ExitCode::data, {folder.path() / "nowhere", folder.path() / "out"}),
                  "nowhere");
  EXPECT_EQ(names(folder.path()), (std::vector<std::string>{"source"}));
}

TEST(Import, RefusesACheckpoint) {
  const SharedFolder folder{world()};
  (void)import_model(world(), {foreign_model("mistral"), folder.path() / "checkpoint"});
  const auto message = error_on_all(world(), ExitCode::usage, [&] {
    (void)import_model(world(), {folder.path() / "checkpoint", folder.path() / "out"});
  });
  expect_contains(message, "is a checkpoint of Ballast's");
}

/// On each host a folder of the same name may hold another model.
TEST(SavedModel, OneFolderOnAllHosts) {
  const SharedFolder folder{world()};
  const bool is_last = world().rank() == world().size() - 1;
  const fs::path own = folder.path() / std::to_string(world().rank());
  fs::copy(foreign_model("llama"), own);
  EXPECT_NO_THROW((void)find_saved_model(world(), own));

  world().barrier({"read"});
  if (is_last) {
    std::fstream file{own / "model.safetensors", std::ios::in | std::ios::out | std::ios::binary};
    file.seekp(-4, std::ios::end);
    file.write("\1\2\3\4", 4);
  }
  world().barrier({"changed"});
  if (world().size() == 1) return;
  const auto message =
      error_on_all(world(), ExitCode::data, [&] { (void)find_saved_model(world(), own); });
  expect_contains(message, "weights: ");
  expect_contains(message, "give every host the same model");
}

}  // namespace
}  // namespace ballast::train
