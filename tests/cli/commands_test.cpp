#include "cli/commands.hpp"

#include <algorithm>
#include <filesystem>
#include <gtest/gtest.h>
#include <iterator>
#include <sstream>

#include "support/invoke.hpp"

namespace ballast::cli {

using test::fresh_folder;
using test::invoke;
using test::Outcome;
using test::write_file;
namespace {

using Words = std::vector<std::string>;

void expect_refused(const Words& arguments, int exit_code, const std::string& message) {
  const Outcome outcome = invoke(arguments);
  EXPECT_EQ(outcome.exit_code, exit_code) << outcome.err;
  EXPECT_EQ(outcome.err.find("ballast: error: "), 0u) << outcome.err;
  EXPECT_NE(outcome.err.find(message), std::string::npos) << outcome.err;
  EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
}

Words words_of(const std::string& text) {
  std::istringstream in{text};
  return {std::istream_iterator<std::string>{in}, {}};
}

TEST(Commands, HelpListsEveryCommand) {
  const Outcome outcome = invoke({"--help"});
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(outcome.err, "");
  for (const char* name : {"prepare", "train", "eval", "score", "generate", "inspect"}) {
    EXPECT_NE(outcome.out.find("\n  " + std::string{name} + " "), std::string::npos) << outcome.out;
  }
  EXPECT_EQ(outcome.out.find('\x1b'), std::string::npos) << "escape sequences in a file";
}

TEST(Commands, EachHasItsHelp) {
  for (const auto& command : commands()) {
    const std::string name{command.name};
    for (const char* flag : {"--help", "-h"}) {
      Words arguments = words_of(name);
      arguments.emplace_back(flag);
      const Outcome outcome = invoke(arguments);
      EXPECT_EQ(outcome.exit_code, 0) << name;
      EXPECT_EQ(outcome.out.find("usage: "), 0u) << outcome.out;
      EXPECT_NE(outcome.out.find("ballast " + name), std::string::npos) << outcome.out;
    }
  }
}

TEST(Commands, TrainHelpIsGroupedWithDefaultsAndLimits) {
  const std::string help = invoke({"train", "--help"}).out;
  for (const char* section : {"[model]", "[data]", "[parallel]", "[optim]", "[schedule]",
                              "[checkpoint]", "[eval]", "[log]", "[run]"}) {
    EXPECT_NE(help.find("\n" + std::string{section} + "\n"), std::string::npos) << section;
  }
  EXPECT_NE(help.find("--optim.lr X (=0.0003)"), std::string::npos) << help;
  EXPECT_NE(help.find("--schedule.warmup N (=5% of schedule.steps)"), std::string::npos) << help;
  EXPECT_NE(help.find("(0 or more)"), std::string::npos) << help;
}

TEST(Commands, HelpComesFromRankZeroAlone) {
  EXPECT_EQ(invoke({"--help"}, {.variables = {"OMPI_COMM_WORLD_RANK=2"}}).out, "");
  EXPECT_EQ(invoke({"train", "--help"}, {.variables = {"PMIX_RANK=1"}}).out, "");
  EXPECT_NE(invoke({"train", "--help"}, {.variables = {"PMI_RANK=0"}}).out, "");
}

TEST(Commands, VersionNamesTheLibraries) {
  const Outcome outcome = invoke({"--version"});
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(outcome.out.find("ballast 0."), 0u) << outcome.out;
  EXPECT_NE(outcome.out.find(" (commit "), std::string::npos) << outcome.out;
  for (const char* library : {"MPI", "HDF5", "Boost", "GEMM"}) {
    EXPECT_NE(outcome.out.find("\n  " + std::string{library} + " "), std::string::npos);
  }
}

TEST(Commands, UnknownOnesAreUsageErrorsWithTheNearest) {
  expect_refused({"trian"}, 2, "unknown command 'trian'; did you mean 'train'?");
  expect_refused({"xyzzy-nothing"}, 2, "unknown command 'xyzzy-nothing'; 'ballast --help'");
  expect_refused({}, 2, "no command given");
}

TEST(Commands, UnknownOptionsAreUsageErrors) {
  expect_refused({"prepare", "--inputt", "x"}, 2, "did you mean --input?");
  expect_refused({"prepare", "--split", "half", "x"}, 2, "one of blocks, tail, documents");
  expect_refused({"prepare", "x.txt"}, 2, "--output FILE is missing");
  expect_refused({"prepare", "--output", "x.h5"}, 2, "--input PATH... is missing");
  expect_refused({"inspect"}, 2, "--path PATH is missing");
  expect_refused({"generate"}, 2, "--checkpoint PATH is missing");
  expect_refused({"generate", "--checkpoint", "x", "--top-p", "1.5"}, 2, "above 0, up to 1");
}

TEST(Commands, TrainRefusesBadConfigurationsBeforeItDoesAnything) {
  const std::string folder = fresh_folder();
  write_file(folder + "/a.ini", "[optim]\n\nlearning_rate = 1\n");
  expect_refused({"train", "--optim.lrr", "1"}, 2, "did you mean --optim.lr?");
  expect_refused({"train"}, 2, "--data.path FILE is missing");
  expect_refused({"train", "--config", folder + "/a.ini"}, 2, "/a.ini:3: unknown key");
  expect_refused({"train", "--config", folder + "/none.ini"}, 2, "none.ini");
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

TEST(Job, ErrorsOfAllRanksAreSaidOnceAndSetTheExitCode) {
  const std::string folder = fresh_folder();
  const std::vector<std::pair<Words, int>> cases{
      {{"trian"}, 2},
      {{"train", "--optim.lrr", "1"}, 2},
      {{"train", "--data.path", "x", "--run.dir", "y", "--config", folder + "/none.ini"}, 2},
      {{"prepare", folder + "/none.txt", "--output", folder + "/o.h5"}, 3},
      {{"inspect", folder + "/none.h5"}, 3}};
  for (const auto& [words, exit_code] : cases) {
    const Outcome outcome = invoke(words, {.ranks = 3});
    EXPECT_EQ(outcome.exit_code, exit_code) << words.front() << "\n" << outcome.err;
    EXPECT_EQ(count(outcome.err, "ballast: error: "), 1u) << words.front() << "\n" << outcome.err;
  }
}

TEST(Job, SerialCommandsAreDoneByRankZeroOnce) {
  const std::string folder = fresh_folder();
  const Outcome outcome = invoke({"prepare", "-", "--output", folder + "/o.h5"},
                                 {.ranks = 3, .input = std::string(400'003, 'x')});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(count(outcome.out, "o.h5: 390.6 KiB"), 1u) << outcome.out;
  EXPECT_EQ(count(outcome.out, "\x1b"), 0u) << "progress in a file: " << outcome.out;
  EXPECT_EQ(invoke({"inspect", folder + "/o.h5"}).exit_code, 0);
}

TEST(Prepare, RefusesInputThatIsNotThere) {
  const std::string folder = fresh_folder();
  expect_refused({"prepare", folder + "/none.txt", "--output", folder + "/o.h5"}, 3, "none.txt");
  EXPECT_FALSE(std::filesystem::exists(folder + "/o.h5"));
}

TEST(Prepare, RefusesEmptyInput) {
  const std::string folder = fresh_folder();
  write_file(folder + "/empty.txt", "");
  expect_refused({"prepare", folder + "/empty.txt", "--output", folder + "/o.h5"}, 3, "empty");
  EXPECT_FALSE(std::filesystem::exists(folder + "/o.h5"));
}

TEST(Prepare, RefusesInvalidUtf8ForATextTokenizerOnly) {
  const std::string folder = fresh_folder();
  std::string text;
  for (int i = 0; i < 4000; ++i) text += "some words of text number " + std::to_string(i) + "\n";
  write_file(folder + "/bad.txt", text + "\xff\xfe" + text);
  expect_refused({"prepare", folder + "/bad.txt", "--output", folder + "/o.h5", "--tokenizer",
                  "sentencepiece:300"},
                 3, "UTF-8");
  EXPECT_FALSE(std::filesystem::exists(folder + "/o.h5"));
  const Outcome bytes = invoke({"prepare", folder + "/bad.txt", "--output", folder + "/o.h5"});
  EXPECT_EQ(bytes.exit_code, 0) << bytes.err;
}

TEST(Prepare, RefusesAnOutputThatCannotBeWritten) {
  const std::string folder = fresh_folder();
  write_file(folder + "/text.txt", std::string(40000, 'x'));
  write_file(folder + "/file", "");
  expect_refused({"prepare", folder + "/text.txt", "--output", folder + "/file/o.h5"}, 3,
                 folder + "/file");
  std::filesystem::create_directory(folder + "/o.h5");
  expect_refused({"prepare", folder + "/text.txt", "--output", folder + "/o.h5"}, 3, "/o.h5");
}

TEST(Prepare, SummarizesAndInspectShowsTheDataset) {
  const std::string folder = fresh_folder();
  const std::string text(400'003, 'x');
  const Outcome prepared = invoke({"prepare", "-", "--output", folder + "/o.h5"}, {.input = text});
  ASSERT_EQ(prepared.exit_code, 0) << prepared.err;
  EXPECT_EQ(prepared.err, "");
  EXPECT_NE(prepared.out.find("390.6 KiB from 1 source"), std::string::npos) << prepared.out;
  EXPECT_EQ(prepared.out.find('\r'), std::string::npos) << "progress in a file";
  const Outcome shown = invoke({"inspect", folder + "/o.h5"});
  ASSERT_EQ(shown.exit_code, 0) << shown.err;
  EXPECT_NE(shown.out.find("tokenizer          bytes\n"), std::string::npos) << shown.out;
  EXPECT_NE(shown.out.find("raw_bytes          400003 "), std::string::npos) << shown.out;
}

TEST(Inspect, RefusesWhatIsNoDataset) {
  const std::string folder = fresh_folder();
  write_file(folder + "/text.txt", "text");
  expect_refused({"inspect", folder + "/none.h5"}, 3, "none.h5");
  expect_refused({"inspect", folder + "/text.txt"}, 3, "text.txt");
  expect_refused({"inspect", folder}, 3, "folder");
}

}  // namespace
}  // namespace ballast::cli
