#include "checkpoint/folders.hpp"

#include <fstream>
#include <gtest/gtest.h>

#include "checkpoint/fixture.hpp"
#include "storage/files.hpp"

namespace ballast::checkpoint {
namespace {

using test::data_error_of;
using test::TemporaryFolder;

/// A checkpoint as far as folders are concerned.
void make_folder(const TemporaryFolder& run, const std::string& name,
                 const std::string& text = "") {
  std::filesystem::create_directories(run / "checkpoints" / name);
  std::ofstream{run / "checkpoints" / name / "manifest.json"} << text;
}

std::vector<std::string> checkpoints(const TemporaryFolder& run) {
  return names(run / "checkpoints");
}

using Names = std::vector<std::string>;

TEST(Folders, AFolderWithAManifestIsMeantItself) {
  const TemporaryFolder run;
  make_folder(run, "step-3");
  EXPECT_EQ(find_checkpoint(run / "checkpoints/step-3"), run / "checkpoints/step-3");
}

TEST(Folders, TheNewestIsWhatLatestSaysElseTheHighestStep) {
  const TemporaryFolder run;
  for (const auto* name : {"step-9", "step-10", "step-100.tmp", "step-", "step-x", "other"}) {
    make_folder(run, name);
  }
  std::filesystem::create_directories(run / "checkpoints/step-200");  // not whole
  const auto expect = [&](const std::string& latest, const std::string& name) {
    std::ofstream{run / "latest"} << latest;
    EXPECT_EQ(find_checkpoint(run.path()), run / "checkpoints" / name) << latest;
  };
  EXPECT_EQ(find_checkpoint(run.path()), run / "checkpoints/step-10");
  expect("checkpoints/step-9\n", "step-9");
  expect("checkpoints/step-8\n", "step-10");
  expect("checkpoints/step-200\n", "step-10");
  expect("checkpoints/step-11\n", "step-10");
  expect("../../etc\n", "step-10");
  expect("", "step-10");
}

TEST(Folders, NoCheckpointIsADataErrorThatNamesThePlace) {
  const TemporaryFolder run;
  EXPECT_FALSE(has_checkpoints(run.path()));
  EXPECT_FALSE(has_checkpoints(run / "nowhere"));
  EXPECT_NE(data_error_of([&] {
              (void)find_checkpoint(run / "nowhere");
            }).find("nowhere' does not exist"),
            std::string::npos);
  EXPECT_NE(data_error_of([&] { (void)find_checkpoint(run.path()); }).find("holds no checkpoint"),
            std::string::npos);
  make_folder(run, "step-1.tmp");
  EXPECT_FALSE(has_checkpoints(run.path()));
  make_folder(run, "step-1");
  EXPECT_TRUE(has_checkpoints(run.path()));
}

TEST(Folders, WhatAnInterruptedSaveLeftIsRemoved) {
  const TemporaryFolder run;
  for (const auto* name : {"step-1", "step-2.tmp", "mine.tmp", "step-x.tmp"})
    make_folder(run, name);
  std::ofstream{run / "latest.tmp-17"} << "half";
  remove_unfinished(run.path());
  remove_unfinished(run / "nowhere");
  EXPECT_EQ(checkpoints(run), (Names{"mine.tmp", "step-1", "step-x.tmp"}));
  EXPECT_EQ(names(run.path()), Names{"checkpoints"});
}

TEST(Folders, ACheckpointThatWasBeingReplacedComesBack) {
  const TemporaryFolder run;
  make_folder(run, "step-5.old", "old");
  make_folder(run, "step-5.tmp", "new");
  EXPECT_EQ(find_checkpoint(run.path()), run / "checkpoints/step-5.old");
  make_folder(run, "step-6");
  std::ofstream{run / "latest"} << "checkpoints/step-5\n";
  EXPECT_EQ(find_checkpoint(run.path()), run / "checkpoints/step-5.old");
  std::filesystem::remove_all(run / "checkpoints/step-6");
  remove_unfinished(run.path());
  EXPECT_EQ(checkpoints(run), Names{"step-5"});
  EXPECT_EQ(storage::read_text(run / "checkpoints/step-5/manifest.json"), "old");

  make_folder(run, "step-5.old", "older");
  EXPECT_EQ(find_checkpoint(run.path()), run / "checkpoints/step-5");
  remove_unfinished(run.path());
  EXPECT_EQ(checkpoints(run), Names{"step-5"});
  EXPECT_EQ(storage::read_text(run / "checkpoints/step-5/manifest.json"), "old");
}

/// A crash between naming a checkpoint in `latest` and giving it its name, or an earlier course of
/// the training beyond: the newest of the present course comes first.
TEST(Folders, TheNewestOfThePresentCourseComesFirst) {
  const TemporaryFolder run;
  for (const auto* name : {"step-5", "step-6", "step-20", "step-30"}) make_folder(run, name);
  const auto order = [&] {
    Names names;
    for (const auto& folder : newest_first(run.path())) names.push_back(folder.filename().string());
    return names;
  };
  EXPECT_EQ(order(), (Names{"step-30", "step-20", "step-6", "step-5"}));
  std::ofstream{run / "latest"} << "checkpoints/step-7\n";
  EXPECT_EQ(order(), (Names{"step-6", "step-5", "step-30", "step-20"}));
  make_folder(run, "step-7");
  EXPECT_EQ(order(), (Names{"step-7", "step-6", "step-5", "step-30", "step-20"}));
}

TEST(Folders, OneThatLostItsManifestIsTriedAndNeverPassedOverWithoutAWord) {
  const TemporaryFolder run;
  std::filesystem::create_directories(run / "checkpoints/step-9");
  EXPECT_TRUE(has_checkpoints(run.path()));
  make_folder(run, "step-6");
  const auto found = newest_first(run.path());
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0], run / "checkpoints/step-9");
  EXPECT_EQ(find_checkpoint(run.path()), run / "checkpoints/step-6");
  make_folder(run, "step-9.old", "replaced");
  EXPECT_EQ(newest_first(run.path())[0], run / "checkpoints/step-9.old");
}

TEST(Folders, ADamagedOneIsSetAsideUnderANameOfItsOwn) {
  const TemporaryFolder run;
  for (const auto* text : {"first", "second"}) {
    make_folder(run, "step-5", text);
    (void)set_aside(step_folder(run.path(), 5));
  }
  EXPECT_EQ(checkpoints(run), (Names{"step-5.damaged", "step-5.damaged-2"}));
  EXPECT_EQ(storage::read_text(run / "checkpoints/step-5.damaged-2/manifest.json"), "second");
  EXPECT_FALSE(has_checkpoints(run.path()));
  remove_unfinished(run.path());
  EXPECT_EQ(checkpoints(run), (Names{"step-5.damaged", "step-5.damaged-2"}));
}

TEST(Folders, PublishingReplacesWhatIsThere) {
  const TemporaryFolder run;
  make_folder(run, "step-5", "old");
  std::ofstream{run / "checkpoints/step-5/more"} << "old";
  make_folder(run, "step-5.tmp", "new");
  publish_folder(run.path(), 5);
  EXPECT_EQ(checkpoints(run), Names{"step-5"});
  EXPECT_EQ(names(run / "checkpoints/step-5"), Names{"manifest.json"});
  EXPECT_EQ(storage::read_text(run / "checkpoints/step-5/manifest.json"), "new");
  EXPECT_EQ(storage::read_text(run / "latest"), "checkpoints/step-5\n");
}

/// A checkpoint whose manifest can be read, of one file of `bytes` bytes that should have 3.
void make_checkpoint(const TemporaryFolder& run, const std::string& name, std::size_t bytes = 3) {
  const Manifest manifest{.state = {},
                          .state_hash = {},
                          .writers = 1,
                          .tensors = {},
                          .files = {{"rank", 3, {}}},
                          .identity = {},
                          .numerics = {}};
  make_folder(run, name, manifest.to_json());
  std::ofstream{run / "checkpoints" / name / "rank"} << std::string(bytes, 'x');
}

TEST(Folders, PruningKeepsTheNewestByNumber) {
  const TemporaryFolder run;
  for (const auto* name : {"step-8", "step-9", "step-10", "step-11", "step-7.tmp"}) {
    make_checkpoint(run, name);
  }
  prune_folders(run.path(), 11, {.keep = 3});
  EXPECT_EQ(checkpoints(run), (Names{"step-10", "step-11", "step-7.tmp", "step-9"}));
  prune_folders(run.path(), 11, {.keep = 0});
  EXPECT_EQ(checkpoints(run), (Names{"step-11", "step-7.tmp"}));
}

TEST(Folders, PruningTakesTheAbandonedCourseFirst) {
  const TemporaryFolder run;
  for (const auto* name : {"step-5", "step-6", "step-10", "step-20"}) make_checkpoint(run, name);
  prune_folders(run.path(), 6, {.keep = 3});
  EXPECT_EQ(checkpoints(run), (Names{"step-10", "step-5", "step-6"}));
  prune_folders(run.path(), 6, {.keep = 1});
  EXPECT_EQ(checkpoints(run), Names{"step-6"});
}

TEST(Folders, PruningCountsOnlyWhatIsThereInFull) {
  const TemporaryFolder run;
  for (const auto* name : {"step-1", "step-2", "step-5"}) make_checkpoint(run, name);
  make_checkpoint(run, "step-3", 2);
  make_folder(run, "step-4", "not a manifest");
  prune_folders(run.path(), 5, {.keep = 2});
  EXPECT_EQ(checkpoints(run), (Names{"step-2", "step-3", "step-4", "step-5"}));
}

TEST(Folders, PruningLeavesThoseThatStayForEver) {
  const TemporaryFolder run;
  for (const auto* name : {"step-10", "step-20", "step-25", "step-30", "step-35"}) {
    make_checkpoint(run, name);
  }
  prune_folders(run.path(), 35, {.keep = 1, .keep_every = 20});
  EXPECT_EQ(checkpoints(run), (Names{"step-20", "step-35"}));
}

}  // namespace
}  // namespace ballast::checkpoint
