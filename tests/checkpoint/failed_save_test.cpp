#include <csignal>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "checkpoint/fixture.hpp"
#include "checkpoint/folders.hpp"
#include "storage/files.hpp"

namespace ballast::checkpoint {
namespace {

/// No file of this process grows beyond `bytes`, as on a full disk, until the end of the scope.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_{std::signal(SIGXFSZ, SIG_IGN)} {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  void (*handler_)(int);
  rlimit before_{};
};

std::ptrdiff_t open_descriptors() {
  return std::distance(std::filesystem::directory_iterator{"/proc/self/fd"}, {});
}

/// The older checkpoint is whole and the only one, and the next save works.
void expect_undamaged(comm::Communicator& world, const std::filesystem::path& run) {
  world.barrier({"failed save"});
  EXPECT_EQ(names(run / "checkpoints"), std::vector<std::string>{"step-1"});
  EXPECT_EQ(storage::read_text(run / "latest"), "checkpoints/step-1\n");
  expect_loads(world, find_checkpoint(run), 1);
  save_step(world, run, 3, 30);
  expect_loads(world, find_checkpoint(run), 30);
}

TEST(FailedSave, OnOneRankEndsAllWithOneErrorAndLeavesTheOlderCheckpoint) {
  auto& world = test::world();
  for (int failing = 0; failing < world.size(); ++failing) {
    for (const rlim_t bytes : {0ul, 1000ul, 5000ul, 30000ul}) {
      const SharedFolder folder{world};
      save_step(world, folder.path(), 1, 1);
      const std::string message = error_on_all_ranks(world, [&] {
        std::optional<FileSizeLimit> limit;
        if (world.rank() == failing) limit.emplace(bytes);
        save_step(world, folder.path(), 2, 2);
      });
      const auto name = shard_file_name(checked_cast<std::size_t>(failing),
                                        checked_cast<std::size_t>(world.size()));
      EXPECT_NE(message.find(name), std::string::npos) << bytes << ": " << message;
      EXPECT_NE(message.find("File too large"), std::string::npos) << bytes << ": " << message;
      expect_undamaged(world, folder.path());
    }
  }
}

TEST(FailedSave, KeepsNoFileOpen) {
  auto& world = test::world();
  const SharedFolder folder{world};
  save_step(world, folder.path(), 1, 1);
  const auto before = open_descriptors();
  for (const rlim_t bytes : {0ul, 1000ul, 5000ul, 20000ul}) {
    (void)error_on_all_ranks(world, [&] {
      const FileSizeLimit limit{bytes};
      save_step(world, folder.path(), 2, 2);
    });
  }
  EXPECT_EQ(open_descriptors(), before);
}

TEST(FailedSave, AtTheManifestLeavesTheOlderCheckpoint) {
  auto& world = test::world();
  const SharedFolder folder{world};
  save_step(world, folder.path(), 1, 1);
  const model::ParameterTable table{odd_config()};
  Shards shards{table, world};
  auto request = request_for(folder.path(), 2);
  request.identity["long"] = std::string(std::size_t{1} << 20, 'x');
  const std::string message = error_on_all_ranks(world, [&] {
    const FileSizeLimit limit{std::size_t{1} << 20};
    (void)save(world, shards.fill(2).layout(), shards.tensors(), request);
  });
  EXPECT_NE(message.find("manifest.json"), std::string::npos) << message;
  expect_undamaged(world, folder.path());
}

TEST(FailedSave, WhereThereIsNoRoom) {
  auto& world = test::world();
  const SharedFolder folder{world};
  save_step(world, folder.path(), 1, 1);
  model::ModelConfig config = odd_config();
  config.dim = std::size_t{1} << 25;  // petabytes
  const model::ParameterTable table{config};
  const fsdp::ShardLayout layout{
      table, {1, checked_cast<std::size_t>(world.size())}, checked_cast<std::size_t>(world.rank())};
  // Nothing may look at the tensors before the room for them is certain.
  const std::span<float> nothing{static_cast<float*>(nullptr), layout.local_numel()};
  const std::string message = error_on_all_ranks(world, [&] {
    (void)save(world, layout, {nothing, nothing, nothing}, request_for(folder.path(), 2));
  });
  EXPECT_NE(message.find("checkpoints' has "), std::string::npos) << message;
  expect_undamaged(world, folder.path());
}

TEST(FailedSave, WhereNoFolderCanBe) {
  auto& world = test::world();
  const SharedFolder folder{world};
  on_root(world, [&] { storage::write_text_atomically(folder.path() / "run", "a file"); });
  const std::string message =
      error_on_all_ranks(world, [&] { save_step(world, folder.path() / "run", 2, 2); });
  EXPECT_NE(message.find("run/checkpoints/step-2.tmp"), std::string::npos) << message;
}

TEST(FailedSave, OfTheSameStepLeavesTheOlderOne) {
  auto& world = test::world();
  const SharedFolder folder{world};
  save_step(world, folder.path(), 1, 1);
  (void)error_on_all_ranks(world, [&] {
    const FileSizeLimit limit{20000};
    save_step(world, folder.path(), 1, 2);
  });
  expect_undamaged(world, folder.path());
}

TEST(RepeatedSave, OfTheSameStepReplacesIt) {
  auto& world = test::world();
  const SharedFolder folder{world};
  save_step(world, folder.path(), 1, 1);
  on_ranks(1, [&](auto& part) { save_step(part, folder.path(), 1, 2); });
  expect_loads(world, find_checkpoint(folder.path()), 2);
  EXPECT_EQ(names(folder.path() / "checkpoints"), std::vector<std::string>{"step-1"});
  EXPECT_EQ(names(folder.path() / "checkpoints/step-1"),
            (std::vector<std::string>{"manifest.json", "rank-00000-of-00001.h5"}));
}

TEST(RepeatedSave, OverAnInterruptedOneIsClean) {
  auto& world = test::world();
  const SharedFolder folder{world};
  on_root(world, [&] {
    const auto left = folder.path() / "checkpoints/step-1.tmp";
    std::filesystem::create_directories(left);
    storage::write_text_atomically(left / "rank-00000-of-00009.h5", "half");
  });
  const auto saved = save_step(world, folder.path(), 1, 1);
  EXPECT_EQ(names(saved.folder).size(), static_cast<std::size_t>(world.size()) + 1);
  expect_loads(world, saved.folder, 1);
}

TEST(RepeatedSave, KeepsTheLastOnes) {
  auto& world = test::world();
  const SharedFolder folder{world};
  for (const std::uint64_t step : {8u, 9u, 10u, 11u})
    save_step(world, folder.path(), step, step, 2);
  EXPECT_EQ(names(folder.path() / "checkpoints"), (std::vector<std::string>{"step-10", "step-11"}));
  expect_loads(world, folder.path() / "checkpoints/step-10", 10);
  expect_loads(world, find_checkpoint(folder.path()), 11);
}

}  // namespace
}  // namespace ballast::checkpoint
