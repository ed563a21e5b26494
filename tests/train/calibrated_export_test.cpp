#include <fstream>
#include <gtest/gtest.h>

#include "data/prepare.hpp"
#include "formats/gguf/gguf_file.hpp"
#include "train/foreign_models.hpp"
#include "train/offline/export.hpp"
#include "train/saved_teacher.hpp"
#include "train/small_dataset.hpp"

namespace ballast::train {
namespace {

namespace fs = std::filesystem;

using checkpoint::names;
using checkpoint::on_ranks;
using checkpoint::SharedFolder;
using test::bytes_of_file;
using test::expect_contains;
using test::world;

/// Rows of 96 and of 3,104 elements, and more of them than are copied at a time: a piece that knew
/// nothing of rows would end within one.
Config wide_config() {
  Config config = student_config(fsdp::Backend::region);
  config.model = {.dim = 96, .layers = 2, .heads = 3, .kv_heads = 1, .ffn = 3104};
  return config;
}

/// A dataset whose training split fills no window of the model's.
fs::path short_text(const fs::path& folder) {
  std::ofstream{folder / "text.txt"} << "keel keel keel keel\n";
  data::prepare({.inputs = {(folder / "text.txt").string()},
                 .output = folder / "text.h5",
                 .split = data::SplitRule::tail,
                 .validation_fraction = 0.5},
                {});
  return folder / "text.h5";
}

class CalibratedExport : public testing::Test {
 protected:
  [[nodiscard]] ExportOptions options(const std::string& name, const std::string& dtype) const {
    return {.checkpoint = weights_,
            .output = folder_.path() / name,
            .format = ExportFormat::gguf,
            .dtype = dtype,
            .calibrate = data_.dataset().path(),
            .calibrate_windows = 5};
  }
  [[nodiscard]] std::string refusal(ExitCode code, const ExportOptions& asked) const {
    return error_on_all(world(), code, [&] { (void)export_model(world(), asked); });
  }

  SmallDataset data_;
  SharedFolder folder_{world()};
  fs::path weights_ = save_teacher(folder_.path() / "run", wide_config(), data_.dataset());
};

TEST_F(CalibratedExport, IsTheSameAtAnyNumberOfRanks) {
  for (const std::string dtype : {"q4_0", "q5_k_m"}) {
    for (int ranks = 1; ranks <= world().size(); ++ranks) {
      const std::string name = dtype + "." + std::to_string(ranks);
      on_ranks(ranks, [&](comm::Communicator& part) {
        const Exported made = export_model(part, options(name, dtype));
        expect_contains(made.importance, "5 windows of 24 tokens of ");
      });
      EXPECT_EQ(bytes_of_file(folder_.path() / name),
                bytes_of_file(folder_.path() / (dtype + ".1")))
          << name;
    }
    auto plain = options(dtype + ".plain", dtype);
    plain.calibrate.clear();
    plain.calibrate_windows.reset();
    EXPECT_TRUE(export_model(world(), plain).importance.empty());
    EXPECT_NE(bytes_of_file(plain.output), bytes_of_file(folder_.path() / (dtype + ".1")));
  }
}

TEST_F(CalibratedExport, SaysWhatItWasCalibratedOn) {
  (void)export_model(world(), options("m.gguf", "q4_0"));
  const formats::GgufFile file{folder_.path() / "m.gguf"};
  const auto value_of = [&](const std::string& key) -> formats::GgufValue {
    for (const auto& entry : file.metadata()) {
      if (entry.key == key) return entry.value;
    }
    ADD_FAILURE() << key;
    return {};
  };
  EXPECT_EQ(value_of("quantize.imatrix.dataset"),
            formats::GgufValue{data_.dataset().path().filename().string()});
  EXPECT_EQ(value_of("quantize.imatrix.entries_count"), formats::GgufValue{std::uint32_t{15}});
  EXPECT_EQ(value_of("quantize.imatrix.chunks_count"), formats::GgufValue{std::uint32_t{5}});
}

TEST_F(CalibratedExport, RefusesWhatItWouldChangeNothingAbout) {
  for (const std::string dtype : {"", "f32", "f16", "bf16", "q8_0"}) {
    const auto message = refusal(ExitCode::usage, options("m", dtype));
    expect_contains(message, "changes nothing about --dtype " + (dtype.empty() ? "f32" : dtype));
  }
  auto folder = options("m", "bf16");
  folder.format = ExportFormat::hf;
  expect_contains(refusal(ExitCode::usage, folder), "--calibrate is for the blocks");
  auto windows = options("m", "q4_0");
  windows.calibrate.clear();
  expect_contains(refusal(ExitCode::usage, windows), "--calibrate-windows");
  EXPECT_EQ(names(folder_.path()), (std::vector<std::string>{"run"}));
}

TEST_F(CalibratedExport, RefusesTextOfOtherTokensAndTooLittleOfIt) {
  auto asked = options("m", "q4_0");
  asked.checkpoint = foreign_model("llama");  // of 64 tokens
  expect_contains(refusal(ExitCode::usage, asked), "a dataset of the model's tokenizer");
  asked = options("m", "q4_0");
  asked.calibrate = folder_.path() / "no.h5";
  expect_contains(refusal(ExitCode::data, asked), "no.h5");
  const test::TemporaryFolder own;
  asked.calibrate = short_text(own.path());
  EXPECT_THROW((void)export_model(world(), asked), Error);
  EXPECT_EQ(names(folder_.path()), (std::vector<std::string>{"run"}));
}

}  // namespace
}  // namespace ballast::train
