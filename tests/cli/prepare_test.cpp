#include <algorithm>
#include <filesystem>
#include <gtest/gtest.h>

#include "data/tokenizers/huggingface_tokenizer.hpp"
#include "formats/gguf/gguf_tokenizer.hpp"
#include "formats/gguf/made_up_gguf.hpp"
#include "storage/h5/reader.hpp"
#include "support/invoke.hpp"

namespace ballast::cli {
namespace {

using test::fresh_folder;
using test::invoke;
using test::Launch;
using test::Outcome;
using test::write_file;

const std::string kLines = "{\"text\": \"alpha\"}\n{\"text\": null}\n{\"text\": \"beta\"}\n";

void expect_line(const Outcome& outcome, const std::string& line) {
  EXPECT_NE(("\n" + outcome.out).find("\n" + line + "\n"), std::string::npos) << outcome.out;
}

class PrepareCommand : public testing::Test {
 protected:
  [[nodiscard]] Outcome prepare(std::vector<std::string> arguments, const Launch& launch = {}) {
    arguments.insert(arguments.begin(), "prepare");
    arguments.insert(arguments.end(), {"--output", folder_ + "/o.h5"});
    return invoke(arguments, launch);
  }
  std::string folder_ = fresh_folder();
};

TEST_F(PrepareCommand, SaysWhatItTookAndWhatItLeftOut) {
  const std::string d = folder_ + "/d";
  std::filesystem::create_directories(d);
  write_file(d + "/a.txt", std::string(3000, 'x'));
  write_file(d + "/b.JSONL", kLines);
  write_file(d + "/empty.txt", "");
  write_file(d + "/.hidden", "");
  std::filesystem::create_symlink("a.txt", d + "/link.txt");
  const Outcome outcome = prepare({d, "--bad-lines", "skip", "--split", "tail"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(outcome.err, "");
  expect_line(
      outcome,
      "  read        2 text files, 1 file of JSON lines (1 empty): 3 documents; <bos> begins "
      "each (--join joins them)");
  expect_line(outcome, "  left out    hidden (1): " + d + "/.hidden");
  expect_line(outcome, "  left out    read already by another name (1): " + d + "/link.txt");
  expect_line(outcome, "  skipped     1 line without a text that can be used");
  expect_line(outcome,
              "              '" + d + "/b.JSONL' line 2: its \"text\" is null, not a text");
}

TEST_F(PrepareCommand, StandardInputMayBeJsonLines) {
  const Outcome outcome =
      prepare({"-", "--bad-lines", "skip", "--split", "documents"}, {.input = kLines});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("1 file of JSON lines: 2 documents"), std::string::npos);
  EXPECT_EQ(prepare({"-", "--format", "text", "--split", "tail"}, {.input = kLines}).exit_code, 0);
  EXPECT_EQ(prepare({"-"}, {.input = kLines}).exit_code, 3);
}

TEST_F(PrepareCommand, JoinsByWhatIsGiven) {
  const Launch launch{.input = "{\"text\": \"alpha\"}\n{\"text\": \"beta\"}\n"};
  const auto read = [&](const std::vector<std::string>& join) {
    std::vector<std::string> words{"-", "--split", "tail"};
    words.insert(words.end(), join.begin(), join.end());
    const Outcome outcome = prepare(words, launch);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    const auto at = outcome.out.find("  read  ");
    return outcome.out.substr(at, outcome.out.find('\n', at) - at);
  };
  EXPECT_TRUE(read({"--join", ""}).ends_with("2 documents; joined without a mark"));
  EXPECT_TRUE(read({"--join", "\\n\\n"}).ends_with("2 documents; joined by 2 bytes"));
  EXPECT_TRUE(read({"--join=--"}).ends_with("2 documents; joined by 2 bytes"));
  EXPECT_TRUE(read({}).ends_with("2 documents; <bos> begins each (--join joins them)"));
  EXPECT_EQ(prepare({"-", "--join", "\\x"}, launch).exit_code, 2);
  EXPECT_EQ(prepare({"-", "--join", "x", "--documents"}, launch).exit_code, 2);
}

TEST_F(PrepareCommand, WarnsOfASplitThatIsEmpty) {
  const auto warning = [&](std::vector<std::string> words) {
    words.insert(words.begin(), "-");
    const Outcome outcome = prepare(words, {.input = std::string(50000, 'x')});
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    EXPECT_LE(std::ranges::count(outcome.err, '\n'), 1) << outcome.err;
    return outcome.err;
  };
  EXPECT_NE(warning({}).find("warning: no text is held out"), std::string::npos);
  EXPECT_NE(warning({}).find("use --split tail"), std::string::npos);
  EXPECT_NE(warning({"--split", "documents"}).find("warning: no text to train on"),
            std::string::npos);
  EXPECT_EQ(warning({"--split", "tail"}), "");
}

TEST_F(PrepareCommand, TakesTheTokenizerOfAGgufFile) {
  const std::filesystem::path json =
      std::filesystem::path{BALLAST_FIXTURES} / "tokenizers" / "llama3.json";
  const auto tokenizer = data::make_huggingface_tokenizer(data::read_tokenizer_files(json));
  const auto keys = formats::gguf_tokenizer_keys(*tokenizer, {.rows = tokenizer->vocabulary()});
  const std::string file = folder_ + "/model.gguf";
  write_file(file, test::tokenizer_gguf(keys).bytes());
  const std::string text = "In the beginning 12345  gr\u00f6\u00dfer\n\n\t\u6771\u4eac, isn't it";
  for (const std::string& named : {json.string(), file}) {
    const Outcome outcome = prepare({"-", "--tokenizer", named}, {.input = text});
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
    const storage::H5Reader dataset{folder_ + "/o.h5"};
    EXPECT_EQ(dataset.read_all<std::int32_t>("train/tokens"), tokenizer->encode(text)) << named;
  }

  write_file(file, test::MadeUpGguf{}.bytes());
  const Outcome outcome = prepare({"-", "--tokenizer", file}, {.input = text});
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_NE(outcome.err.find("model.gguf': this GGUF file holds no tokenizer"), std::string::npos)
      << outcome.err;
}

}  // namespace
}  // namespace ballast::cli
