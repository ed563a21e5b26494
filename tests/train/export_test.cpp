#include "train/offline/export.hpp"

#include <bit>
#include <cstring>
#include <gtest/gtest.h>

#include "base/json.hpp"
#include "data/tokenizers/huggingface_tokenizer.hpp"
#include "formats/float_codec.hpp"
#include "formats/huggingface/folder_weights.hpp"
#include "formats/huggingface/model_config_json.hpp"
#include "formats/safetensors/safetensors_folder.hpp"
#include "train/foreign_models.hpp"
#include "train/settings/identity.hpp"

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

std::vector<float> values_of(const formats::SafetensorsFolder& folder, const std::string& name) {
  std::vector<float> values(folder.tensor(name).numel);
  folder.read(name, 0, values);
  return values;
}

model::ModelConfig with_norm(kernels::NormKind norm) {
  model::ModelConfig config = checkpoint::odd_config();
  config.norm = norm;
  return config;
}

TEST(Export, IsTheSameAtAnyNumberOfRanks) {
  const SharedFolder folder{world()};
  const fs::path checkpoint =
      save_own(folder.path(), with_norm(kernels::NormKind::rms), text_of_bytes());
  for (int ranks = 1; ranks <= world().size(); ++ranks) {
    const fs::path place = folder.path() / std::to_string(ranks);
    on_root(world(), [&] { fs::create_directory(place); });
    on_ranks(ranks, [&](comm::Communicator& part) {
      auto options = export_of(checkpoint, place / "model");
      options.shard_bytes = 9000;
      const Exported made = export_model(part, options);
      EXPECT_EQ(made.architecture, "LlamaForCausalLM");
      EXPECT_GT(made.files, 3u);
    });
    EXPECT_EQ(content(place / "model"), content(folder.path() / "1" / "model")) << ranks;
  }
}

TEST(Export, SaysOfACheckpointWhatItKnows) {
  const SharedFolder folder{world()};
  const fs::path checkpoint =
      save_own(folder.path(), with_norm(kernels::NormKind::rms), text_of_bytes());
  on_root(world(), [&] {
    test::write_bytes(folder.path() / "log.jsonl",
                      "{\"step\": 11, \"val_loss\": 9.5}\n{\"step\": 12, \"val_loss\": 2.25}\n");
  });
  const fs::path output = folder.path() / "out";
  const Exported made = export_model(world(), export_of(checkpoint, output));
  EXPECT_EQ(made.dtype, "fp32");
  if (world().is_root()) expect_contains(made.tokenizer, "bytes, as byte pairs");
  const auto tokenizer = data::make_huggingface_tokenizer(data::read_tokenizer_files(output));
  EXPECT_EQ(tokenizer->encode("ab\n"), (std::vector<std::int32_t>{97, 98, 10}));

  const Json config = parse_json(bytes_of_file(output / "config.json"));
  EXPECT_EQ(config.at("max_position_embeddings"), 77) << "data.seq_len";
  EXPECT_EQ(config.at("bos_token_id"), 256);
  EXPECT_EQ(config.at("eos_token_id"), 257);
  EXPECT_EQ(config.at("pad_token_id"), 258);
  const Json generation = parse_json(bytes_of_file(output / "generation_config.json"));
  EXPECT_EQ(generation.at("eos_token_id"), 257);
  const std::string card = bytes_of_file(output / "README.md");
  for (const char* fact : {"| steps | 12 |", "| dataset | corpus.h5 |", "c0ffee",
                           "| optim.lr | 0.125 |", "2.250000", "| written by | test |"}) {
    expect_contains(card, fact);
  }
  EXPECT_EQ(card.find("9.5"), std::string::npos) << "the loss of another step";
}

TEST(Export, InShardsHoldsTheSameTensors) {
  const SharedFolder folder{world()};
  const fs::path source = foreign_model("qwen2");
  auto options = export_of(source, folder.path() / "out");
  options.shard_bytes = 20'000;
  const Exported made = export_model(world(), options);
  EXPECT_GT(made.files, 2u);
  const formats::SafetensorsFolder before{source};
  const formats::SafetensorsFolder after{options.output};
  ASSERT_EQ(before.names(), after.names());
  for (const auto& name : before.names()) {
    EXPECT_EQ(values_of(before, name), values_of(after, name)) << name;
  }
}

TEST(Export, RoundsToTheTypeThatIsAskedForAndKeepsAFoldersOwn) {
  const SharedFolder folder{world()};
  auto options = export_of(foreign_model("llama"), folder.path() / "narrow");
  options.dtype = "bf16";
  EXPECT_EQ(export_model(world(), options).dtype, "bf16");
  const Json config = parse_json(bytes_of_file(options.output / "config.json"));
  EXPECT_EQ(config.at("dtype"), "bfloat16");

  const formats::SafetensorsFolder before{foreign_model("llama")};
  const formats::SafetensorsFolder after{options.output};
  for (const auto& name : before.names()) {
    auto expected = values_of(before, name);
    std::vector<std::uint8_t> bytes(2 * expected.size());
    ASSERT_FALSE(formats::encode(ElementType::bf16, expected, bytes));
    formats::decode(ElementType::bf16, bytes, expected);
    EXPECT_EQ(values_of(after, name), expected) << name;
  }

  const fs::path again = folder.path() / "again";
  EXPECT_EQ(export_model(world(), export_of(options.output, again)).dtype, "bf16");
  EXPECT_EQ(bytes_of_file(again / "model.safetensors"),
            bytes_of_file(options.output / "model.safetensors"));
}

TEST(Export, RefusesAModelThatNoFamilyHasBeforeItWritesAnything) {
  const SharedFolder folder{world()};
  const fs::path checkpoint =
      save_own(folder.path() / "run", with_norm(kernels::NormKind::layer), text_of_bytes());
  const auto message = error_on_all(world(), ExitCode::usage, [&] {
    (void)export_model(world(), export_of(checkpoint, folder.path() / "out"));
  });
  expect_contains(message, "model.norm");
  EXPECT_EQ(names(folder.path()), (std::vector<std::string>{"run"}));
}

TEST(Export, ReplacesNothingUnlessAsked) {
  const SharedFolder folder{world()};
  const fs::path output = folder.path() / "out";
  on_root(world(), [&] {
    fs::create_directory(output);
    test::write_bytes(output / "mine", "mine");
  });
  auto options = export_of(foreign_model("llama"), output);
  const auto message =
      error_on_all(world(), ExitCode::usage, [&] { (void)export_model(world(), options); });
  expect_contains(message, "not an empty folder");
  EXPECT_EQ(names(output), (std::vector<std::string>{"mine"}));

  world().barrier({"looked at"});
  options.earlier = ExportOptions::Earlier::replaced;
  (void)export_model(world(), options);
  EXPECT_FALSE(fs::exists(output / "mine"));
  EXPECT_EQ(names(folder.path()), (std::vector<std::string>{"out"}));
}

TEST(Export, LeavesNothingWhereAValueDoesNotFitTheType) {
  const SharedFolder folder{world()};
  const fs::path source = folder.path() / "source";
  on_root(world(), [&] {
    copy_of_model("llama", source);
    const float large = 1e6f;
    char bytes[sizeof large];
    std::memcpy(bytes, &large, sizeof large);
    const auto size = fs::file_size(source / "model.safetensors");
    test::replace_bytes(source / "model.safetensors", size - sizeof large,
                        std::string_view{bytes, sizeof large});
  });
  auto options = export_of(source, folder.path() / "out");
  options.dtype = "fp16";
  const auto message =
      error_on_all(world(), ExitCode::data, [&] { (void)export_model(world(), options); });
  expect_contains(message, "beyond what fp16 holds");
  EXPECT_EQ(names(folder.path()), (std::vector<std::string>{"source"}));

  options.dtype = "bf16";
  (void)export_model(world(), options);  // the same place, once the cause is gone
}

TEST(Export, RefusesWeightsThatAreNotTheModels) {
  const SharedFolder folder{world()};
  const fs::path source = folder.path() / "source";
  on_root(world(), [&] {
    copy_of_model("llama", source);
    std::string config = bytes_of_file(source / "config.json");
    config.replace(config.find("\"intermediate_size\": 48"), 23, "\"intermediate_size\": 40");
    test::write_bytes(source / "config.json", config);
  });
  const auto message = error_on_all(world(), ExitCode::data, [&] {
    (void)export_model(world(), export_of(source, folder.path() / "out"));
  });
  expect_contains(message, "of another shape");
  EXPECT_EQ(names(folder.path()), (std::vector<std::string>{"source"}));
}

TEST(Export, CarriesTheTokenizerThatIsAskedFor) {
  const SharedFolder folder{world()};
  const fs::path theirs = folder.path() / "theirs";
  const std::string rules = R"({"eos_token_id": [9, 10], "temperature": 0.6})";
  on_root(world(), [&] {
    fs::create_directory(theirs);
    test::write_bytes(theirs / "tokenizer.json", "{\"any\": \"bytes\"}");
    test::write_bytes(theirs / "chat_template.jinja", "{{ messages }}");
    test::write_bytes(theirs / "config.json", R"({"model_type": "gpt2", "eos_token_id": 9})");
    test::write_bytes(theirs / "generation_config.json", rules);
  });
  auto options = export_of(foreign_model("llama"), folder.path() / "out");
  options.tokenizer = theirs;
  (void)export_model(world(), options);
  EXPECT_EQ(bytes_of_file(options.output / "tokenizer.json"), "{\"any\": \"bytes\"}");
  EXPECT_EQ(bytes_of_file(options.output / "chat_template.jinja"), "{{ messages }}");
  EXPECT_EQ(bytes_of_file(options.output / "generation_config.json"), rules);
  EXPECT_EQ(formats::read_huggingface_config(options.output).special.eos,
            (std::vector<std::int32_t>{9}));

  options.output = folder.path() / "other";
  options.tokenizer = foreign_model("llama");  // has none
  const auto message =
      error_on_all(world(), ExitCode::usage, [&] { (void)export_model(world(), options); });
  expect_contains(message, "holds no file of a tokenizer");
  EXPECT_EQ(names(folder.path()), (std::vector<std::string>{"out", "theirs"}));
}

}  // namespace
}  // namespace ballast::train
