#include <gtest/gtest.h>

#include "formats/gguf/gguf_file.hpp"
#include "formats/gguf/gguf_model_config.hpp"
#include "train/foreign_models.hpp"
#include "train/offline/export.hpp"
#include "train/offline/import.hpp"
#include "train/start/saved_model.hpp"

namespace ballast::train {
namespace {

namespace fs = std::filesystem;

using checkpoint::names;
using checkpoint::on_ranks;
using checkpoint::on_root;
using checkpoint::SharedFolder;
using test::bytes_of_file;
using test::expect_contains;
using test::world;

ExportOptions gguf_of(const fs::path& source, const fs::path& output, std::string dtype = {}) {
  ExportOptions options = export_of(source, output);
  options.format = ExportFormat::gguf;
  options.dtype = std::move(dtype);
  options.title = "a model";  // not the file's name
  return options;
}

/// Rows of whole blocks, longer than a granule and shorter.
model::ModelConfig wide_config() {
  model::ModelConfig config;
  config.vocabulary = 271;
  config.dim = 256;
  config.layers = 2;
  config.heads = 4;
  config.kv_heads = 2;
  config.ffn = 1280;
  return config;
}

TEST(ExportGguf, IsTheSameAtAnyNumberOfRanks) {
  const SharedFolder folder{world()};
  const fs::path checkpoint = save_own(folder.path(), wide_config(), text_of_bytes());
  for (const std::string dtype : {"f32", "bf16", "q8_0", "q4_k_m"}) {
    for (int ranks = 1; ranks <= world().size(); ++ranks) {
      const fs::path output = folder.path() / (dtype + std::to_string(ranks));
      on_ranks(ranks, [&](comm::Communicator& part) {
        const Exported made = export_model(part, gguf_of(checkpoint, output, dtype));
        EXPECT_EQ(made.architecture, "llama");
        EXPECT_EQ(made.dtype, dtype);
        EXPECT_EQ(made.bytes, fs::file_size(output));
      });
      const fs::path of_one = folder.path() / (dtype + "1");
      EXPECT_TRUE(bytes_of_file(output) == bytes_of_file(of_one)) << dtype << " " << ranks;
    }
  }
  const auto read = formats::read_gguf_model(formats::GgufFile{folder.path() / "f321"});
  EXPECT_EQ(read.model.context, 77u) << "data.seq_len, where the model says nothing";
}

TEST(ExportGguf, AndImportGiveEveryModelBack) {
  const SharedFolder folder{world()};
  for (const auto& model : foreign_models()) {
    if (model.filename() == "mistral-window8") continue;
    SCOPED_TRACE(model.filename());
    const fs::path place = folder.path() / model.filename();
    on_root(world(), [&] { fs::create_directory(place); });
    (void)export_model(world(), gguf_of(model, place / "m.gguf"));
    const Imported theirs = import_model(world(), {model, place / "folder"});
    const Imported ours = import_model(world(), {place / "m.gguf", place / "file"});
    EXPECT_EQ(ours.hash, theirs.hash);
    (void)export_model(world(), export_of(place / "m.gguf", place / "again"));
    EXPECT_TRUE(bytes_of_file(place / "again" / "model.safetensors") ==
                bytes_of_file(model / "model.safetensors"));
  }
}

TEST(ExportGguf, KeepsTheTypeOfAFolder) {
  const SharedFolder folder{world()};
  auto narrow = export_of(foreign_model("qwen3"), folder.path() / "narrow");
  narrow.dtype = "bf16";
  (void)export_model(world(), narrow);
  const fs::path file = folder.path() / "m.gguf";
  EXPECT_EQ(export_model(world(), gguf_of(folder.path() / "narrow", file)).dtype, "bf16");
  const fs::path again = folder.path() / "again";
  EXPECT_EQ(export_model(world(), export_of(file, again)).dtype, "bf16");
  EXPECT_TRUE(bytes_of_file(again / "model.safetensors") ==
              bytes_of_file(folder.path() / "narrow" / "model.safetensors"));
}

TEST(ExportGguf, LeavesNothingOfAModelThatIsNoGood) {
  const SharedFolder folder{world()};
  auto config = wide_config();
  config.norm = kernels::NormKind::layer;
  const fs::path run = folder.path() / "run";
  const fs::path checkpoint = save_own(run, config, text_of_bytes());
  const fs::path output = folder.path() / "m.gguf";
  const auto refuse = [&](const ExportOptions& options) {
    return error_on_all(world(), ExitCode::usage, [&] { (void)export_model(world(), options); });
  };
  expect_contains(refuse(gguf_of(checkpoint, output)), "model.norm = layer");
  expect_contains(refuse(gguf_of(foreign_model("mistral-window8"), output)), "model.window = 8");
  expect_contains(refuse(gguf_of(foreign_model("llama"), output, "fp32")),
                  "--dtype fp32 is none of --format gguf: f32, f16, ");
  auto as_folder = export_of(foreign_model("llama"), output);
  as_folder.dtype = "q8_0";
  expect_contains(refuse(as_folder), "--dtype q8_0 is none of --format hf: fp32, bf16, fp16");
  EXPECT_EQ(names(folder.path()), (std::vector<std::string>{"run"}));
  on_root(world(), [&] { test::write_bytes(output, "something"); });
  world().barrier({"written"});
  expect_contains(refuse(gguf_of(foreign_model("llama"), output)), "is there: name a new file");
  EXPECT_EQ(bytes_of_file(output), "something");
}

TEST(ExportGguf, LeavesNothingWhereAValueDoesNotFitTheType) {
  const SharedFolder folder{world()};
  const fs::path source = folder.path() / "source";
  on_root(world(), [&] {
    copy_of_model("llama", source);
    // The file ends with a gain of 32 elements, which stays in fp32; before it is a matrix.
    const std::size_t last = fs::file_size(source / "model.safetensors") - 4 * 33;
    test::replace_bytes(source / "model.safetensors", last, test::field(0x49742400, 4));  // 1e6
  });
  const fs::path output = folder.path() / "m.gguf";
  const auto message = error_on_all(world(), ExitCode::data, [&] {
    (void)export_model(world(), gguf_of(source, output, "f16"));
  });
  expect_contains(message, "is 1000000, which no block of f16 holds");
  EXPECT_EQ(names(folder.path()), (std::vector<std::string>{"source"}));
  (void)export_model(world(), gguf_of(source, output, "bf16"));  // the same place, then
  EXPECT_TRUE(fs::exists(output));
}

/// On each host a file of the same name may hold another model.
TEST(SavedModel, OneFileOnAllHosts) {
  const SharedFolder folder{world()};
  const fs::path own = folder.path() / std::to_string(world().rank());
  const bool is_last = world().rank() == world().size() - 1;
  (void)export_model(world(), gguf_of(foreign_model("llama"), folder.path() / "m"));
  fs::copy(folder.path() / "m", own);
  EXPECT_NO_THROW((void)find_saved_model(world(), own));
  world().barrier({"read"});
  if (is_last) test::replace_bytes(own, fs::file_size(own) - 40, "\1\2\3\4");
  world().barrier({"changed"});
  if (world().size() == 1) return;
  const auto message =
      error_on_all(world(), ExitCode::data, [&] { (void)find_saved_model(world(), own); });
  expect_contains(message, "give every host the same model");
}

}  // namespace
}  // namespace ballast::train
