#include <cstdint>
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "checkpoint/fixture.hpp"

namespace {

/// While this is set, larger writes leave zeros and say that all is well, as some full disks do.
bool disk_loses_writes = false;
constexpr std::size_t kSmallWrite = 4096;

ssize_t write_or_lose(int file, const void* bytes, std::size_t size, std::int64_t offset) {
  const std::vector<char> zeros(disk_loses_writes && size > kSmallWrite ? size : 0);
  if (!zeros.empty()) bytes = zeros.data();
  return ::syscall(SYS_pwrite64, file, bytes, size, offset);
}

}  // namespace

// These stand before the C library's, whichever of them HDF5 was built to call.
extern "C" ssize_t pwrite(int file, const void* bytes, std::size_t size, off_t offset) {
  return write_or_lose(file, bytes, size, offset);
}
extern "C" ssize_t pwrite64(int file, const void* bytes, std::size_t size, off64_t offset) {
  return write_or_lose(file, bytes, size, offset);
}

namespace ballast::checkpoint {
namespace {

TEST(SilentLoss, OnOneRankIsFoundBeforeTheCheckpointCounts) {
  auto& world = test::world();
  const SharedFolder folder{world};
  save_step(world, folder.path(), 1, 1);
  const std::string message = error_on_all_ranks(world, [&] {
    disk_loses_writes = world.rank() + 1 == world.size();
    save_step(world, folder.path(), 2, 2);
  });
  disk_loses_writes = false;
  EXPECT_NE(message.find("read back differs"), std::string::npos) << message;
  EXPECT_NE(message.find("in tensor '"), std::string::npos) << message;
  world.barrier({"failed save"});
  EXPECT_EQ(names(folder.path() / "checkpoints"), std::vector<std::string>{"step-1"});
  expect_loads(world, find_checkpoint(folder.path()), 1);
}

}  // namespace
}  // namespace ballast::checkpoint
