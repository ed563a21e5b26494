#include "cli/command_line.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "base/option_row.hpp"
#include "cli/training_config.hpp"

namespace ballast::cli {
namespace {

using option_row::flag, option_row::text, option_row::word, option_row::words;

using Words = std::vector<std::string>;

std::string no_file(const std::filesystem::path& path) {
  throw usage_error("{} was not to be read", path.string());
}

train::Config config_of(Words words, const TextSources::Read& read_file = no_file) {
  for (const char* word : {"--data.path", "corpus.h5", "--run.dir", "runs/first"}) {
    words.emplace_back(word);
  }
  return read_training_config(words, {read_file, no_file});
}

std::string message_of(const Words& words, const TextSources::Read& read_file = no_file) {
  try {
    (void)config_of(words, read_file);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::usage);
    return error.what();
  }
  return "accepted";
}

TEST(CommandLine, TakesValuesInBothForms) {
  const auto config = config_of({"--optim.lr", "1e-3", "--model.dim=96", "--run.seed=3"});
  EXPECT_EQ(config.optim.lr, 1e-3);
  EXPECT_EQ(config.model.dim, 96u);
  EXPECT_EQ(config.run.seed, 3u);
  EXPECT_EQ(config.data.path, "corpus.h5");
  EXPECT_EQ(config.run.dir, "runs/first");
}

TEST(CommandLine, OptionsOverrideTheFileAndTheFileTheDefaults) {
  const auto file = [](const std::filesystem::path& path) {
    EXPECT_EQ(path, "a.ini");
    return std::string{"[optim]\nlr = 5e-4\nclip = 2\n[model]\ndim = 64\n[data]\npath = other\n"};
  };
  for (const Words& words : {Words{"--config", "a.ini", "--optim.lr", "1e-3"},
                             Words{"--optim.lr", "1e-3", "--config=a.ini"}}) {
    const auto config = config_of(words, file);
    EXPECT_EQ(config.optim.lr, 1e-3);
    EXPECT_EQ(config.optim.clip, 2.0);
    EXPECT_EQ(config.model.dim, 64u);
    EXPECT_EQ(config.data.path, "corpus.h5");
    EXPECT_EQ(config.optim.adamw.beta1, 0.9);
  }
}

TEST(CommandLine, FilesMayHoldWhatIsRequired) {
  const auto file = [](const auto&) {
    return std::string{"[data]\npath = c.h5\n[run]\ndir = runs/x\n"};
  };
  const auto config = read_training_config(Words{"--config", "a.ini"}, {file, no_file});
  EXPECT_EQ(config.data.path, "c.h5");
  EXPECT_EQ(config.run.dir, "runs/x");
}

TEST(CommandLine, ErrorsOfTheFileNameFileAndLine) {
  const auto with = [](const std::string& text) {
    return message_of({"--config", "conf/a.ini"}, [text](const auto&) { return text; });
  };
  EXPECT_EQ(with("[optim]\nlr = 1e-3\nbetta1 = 0.9\n"),
            "conf/a.ini:3: unknown key optim.betta1; did you mean optim.beta1?");
  EXPECT_EQ(with("[optim]\nlr = fast\n"),
            "conf/a.ini:2: optim.lr cannot be 'fast'; it takes a number 0 or more");
  EXPECT_EQ(with("[optim]\nlr = 1\n[optim]\nlr = 1\n"),
            "conf/a.ini:4: optim.lr is given twice, first at conf/a.ini:2; remove one");
  EXPECT_EQ(with("config = b.ini\n").find("conf/a.ini:1: unknown key config"), 0u);
}

TEST(CommandLine, RefusesWhatItDoesNotKnow) {
  EXPECT_EQ(message_of({"--optim.lrr", "1"}),
            "unknown option --optim.lrr; did you mean --optim.lr?");
  EXPECT_EQ(message_of({"--optim.lrr=1"}), "unknown option --optim.lrr; did you mean --optim.lr?");
  EXPECT_EQ(message_of({"--optim.weight_d", "1"}).find("unknown option --optim.weight_d;"), 0u);
  EXPECT_EQ(message_of({"stray"}),
            "unexpected argument 'stray'; --help shows what the command takes");
  EXPECT_EQ(message_of({"-x"}), "unexpected argument '-x'; --help shows what the command takes");
}

TEST(CommandLine, RefusesRepeatedAndMissingValues) {
  EXPECT_EQ(message_of({"--run.seed", "1", "--run.seed", "2"}),
            "--run.seed is given twice; remove one");
  EXPECT_NE(message_of({"--run.seed", "--optim.lr", "1"}).find("run.seed"), std::string::npos);
  EXPECT_NE(message_of({"--run.seed="}).find("run.seed"), std::string::npos);
  EXPECT_EQ(message_of({"--run.seed", "-1"}),
            "--run.seed cannot be '-1'; it takes a whole number, 0 or more");
}

TEST(CommandLine, CollectsPositionalAndNamedValuesOfOneOption) {
  std::vector<std::string> inputs;
  std::string output;
  bool mark = false;
  const std::vector<Option> options{words("input", "PATH...", inputs, "inputs"),
                                    word("output", "FILE", output, "output"),
                                    flag("documents", mark, "mark")};
  read_command_line(Words{"a.txt", "--documents", "--output", "o.h5", "-", "--input", "b", "c"},
                    options, "input");
  EXPECT_EQ(inputs, (Words{"a.txt", "-", "b", "c"}));
  EXPECT_EQ(output, "o.h5");
  EXPECT_TRUE(mark);
}

TEST(CommandLine, TextMayLookLikeAnything) {
  std::string prompt;
  const std::vector<Option> options{text("prompt", "TEXT", prompt, "prompt")};
  for (const std::string value : {"-", "two\nlines", "#", "a=b", "-x"}) {
    read_command_line(Words{"--prompt", value}, options);
    EXPECT_EQ(prompt, value);
  }
}

}  // namespace
}  // namespace ballast::cli
