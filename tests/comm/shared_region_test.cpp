#include "comm/shared_region.hpp"

#include <algorithm>
#include <cstdint>
#include <dirent.h>
#include <functional>
#include <gtest/gtest.h>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/error.hpp"
#include "base/process.hpp"
#include "support/world.hpp"

namespace ballast::comm {
namespace {

using test::world;

std::byte mark(int rank, std::size_t at) {
  return static_cast<std::byte>(101 * rank + 7 * static_cast<int>(at % 1009) + 1);
}

void fill(std::span<std::byte> bytes, int rank) {
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = mark(rank, i);
}

/// Every rank fills its part and finds what the others filled in.
void check_region(const std::function<std::size_t(int rank)>& bytes_of) {
  Communicator& comm = world();
  const SharedRegion region{comm, bytes_of(comm.rank())};
  EXPECT_EQ(region.own().data(), region.part(comm.rank()).data());
  std::size_t pages = 0;
  for (int rank = 0; rank < comm.size(); ++rank) {
    const auto part = region.part(rank);
    ASSERT_EQ(part.size(), bytes_of(rank));
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(part.data()) % 4096, 0u);
    EXPECT_TRUE(std::ranges::all_of(part, [](std::byte byte) { return byte == std::byte{0}; }));
    pages += (part.size() + 4095) / 4096;
  }
  EXPECT_EQ(region.total_bytes(), pages * 4096);
  comm.barrier({"all have looked"});
  fill(region.own(), comm.rank());
  comm.barrier({"all have filled"});
  for (int rank = 0; rank < comm.size(); ++rank) {
    const auto part = region.part(rank);
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < part.size(); ++i) wrong += part[i] == mark(rank, i) ? 0u : 1u;
    EXPECT_EQ(wrong, 0u) << "in the part of rank " << rank;
  }
  EXPECT_THROW(std::ignore = region.part(comm.size()), std::exception);
  comm.barrier({"all have compared"});
}

TEST(SharedRegion, IsSeenByAllAndZeroFirst) {
  check_region([](int) { return 4096; });
  check_region([](int rank) { return 1u + 4099u * static_cast<std::size_t>(rank); });
  check_region([](int rank) { return (std::size_t{3} << 20) + static_cast<std::size_t>(rank); });
}

TEST(SharedRegion, RanksMayNeedNothing) {
  check_region([](int) { return 0; });
  check_region([](int rank) { return rank % 2 == 0 ? 0 : 5; });
  check_region([](int rank) { return rank == 0 ? 8191 : 0; });
}

TEST(SharedRegion, RegionsLieSideBySide) {
  Communicator& comm = world();
  const SharedRegion first{comm, 5000};
  SharedRegion moved{comm, 5000};
  const SharedRegion second{std::move(moved)};
  fill(first.own(), comm.rank());
  fill(second.own(), comm.rank() + 100);
  comm.barrier({"all have filled"});
  for (int rank = 0; rank < comm.size(); ++rank) {
    EXPECT_EQ(first.part(rank).back(), mark(rank, 4999));
    EXPECT_EQ(second.part(rank).back(), mark(rank + 100, 4999));
  }
  comm.barrier({"all have compared"});
}

TEST(SharedRegion, OneRankMayLetGoBeforeTheOthers) {
  Communicator& comm = world();
  {
    const SharedRegion region{comm, 7000};
    fill(region.own(), comm.rank());
    comm.barrier({"all have filled"});
    if (comm.is_root() && comm.size() > 1) {
      comm.barrier({"others have compared"});
      EXPECT_EQ(region.part(comm.size() - 1)[6999], mark(comm.size() - 1, 6999));
      return;
    }
    EXPECT_EQ(region.part(0)[6999], mark(0, 6999));
  }
  if (comm.size() > 1) comm.barrier({"others have compared"});
}

/// Its pages are there, in this process's page table too: the whole region counts, once over all.
TEST(SharedRegion, MemoryIsThereFromTheStart) {
  Communicator& comm = world();
  constexpr std::size_t kBytes = std::size_t{24} << 20;
  comm.barrier({"all begin"});
  const auto before = static_cast<std::int64_t>(memory_use().pss);
  const SharedRegion region{comm, kBytes};
  comm.barrier({"all have mapped"});
  const std::int64_t grown = static_cast<std::int64_t>(memory_use().pss) - before;
  const std::int64_t total = comm.sum(grown, {"sum of memory"});
  EXPECT_NEAR(static_cast<double>(total), static_cast<double>(region.total_bytes()),
              0.05 * static_cast<double>(region.total_bytes()));
}

std::set<std::string> names_in(const char* folder) {
  std::set<std::string> names;
  DIR* stream = ::opendir(folder);
  if (stream == nullptr) return names;
  while (const dirent* entry = ::readdir(stream)) names.insert(entry->d_name);
  ::closedir(stream);
  return names;
}

std::set<std::string> open_files() {
  std::set<std::string> targets;
  for (const std::string& name : names_in("/proc/self/fd")) {
    std::string target(256, '\0');
    const ssize_t length =
        ::readlink(("/proc/self/fd/" + name).c_str(), target.data(), target.size());
    if (length > 0) targets.insert(target.substr(0, static_cast<std::size_t>(length)));
  }
  return targets;
}

TEST(SharedRegion, HasNoNameAndKeepsNoFileOpen) {
  const SharedRegion region{world(), 10'000};
  const auto is_ours = [](const std::string& name) {
    return name.find("ballast-") != std::string::npos && name.find("memfd") != std::string::npos;
  };
  EXPECT_TRUE(std::ranges::none_of(open_files(), is_ours));
  for (const char* folder : {"/dev/shm", "/tmp"}) {
    EXPECT_TRUE(std::ranges::none_of(names_in(folder), is_ours)) << folder;
  }
}

/// The message of the usage Error that every rank gets, the same everywhere.
std::string refusal(std::size_t own_bytes) {
  Communicator& comm = world();
  std::string message;
  try {
    const SharedRegion region{comm, own_bytes};
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::usage);
    message = error.what();
  }
  for (const std::string& other : comm.gather_texts(message, {"gather of messages"})) {
    EXPECT_EQ(other, message);
  }
  return message;
}

void expect_parts(const std::string& text, std::initializer_list<std::string> parts) {
  for (const std::string& part : parts) {
    EXPECT_NE(text.find(part), std::string::npos) << "no '" << part << "' in: " << text;
  }
}

/// Lowers a limit of this process for as long as it lives.
class Limit {
 public:
  Limit(__rlimit_resource_t resource, rlim_t value) : resource_{resource} {
    ::getrlimit(resource_, &before_);
    const rlimit lower{value, before_.rlim_max};
    ::setrlimit(resource_, &lower);
  }
  ~Limit() { ::setrlimit(resource_, &before_); }
  Limit(const Limit&) = delete;
  Limit& operator=(const Limit&) = delete;

 private:
  __rlimit_resource_t resource_;
  rlimit before_{};
};

const std::string kRemedy = "set parallel.backend = mpi";

std::string ranks_of_host() {
  return fmt::format("between the {} ranks of {}", world().size(), host_name());
}

TEST(SharedRegionRefusal, BeyondTheFileSizeLimit) {
  const Limit limit{RLIMIT_FSIZE, 1 << 20};
  const std::string message = refusal(std::size_t{2} << 20);
  expect_parts(message, {fmt::format("{}.0 MiB", 2 * world().size()), ranks_of_host(),
                         "limit on file sizes", "ulimit -f", kRemedy});
  const SharedRegion small{world(), (std::size_t{1} << 20) / 8};
}

// Sanitizers reserve more addresses than any limit allows.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST(SharedRegionRefusal, WithoutAddressesForIt) {
  const Limit limit{RLIMIT_AS, rlim_t{4} << 30};
  expect_parts(refusal(std::size_t{5} << 30),
               {"GiB", ranks_of_host(), "not that much memory", "fewer ranks", kRemedy});
}
#endif

TEST(SharedRegionRefusal, OnlyOneRankLacksIt) {
  expect_parts(
      refusal(world().rank() == world().size() - 1 ? std::numeric_limits<std::size_t>::max() - 5
                                                   : 5),
      {"no machine has that much", kRemedy});
}

/// A process that may not look into this one, as if another user had started it.
class Stranger {
 public:
  Stranger() {
    if (::geteuid() == 0) {
      EXPECT_EQ(::seteuid(65534), 0);
      is_root_ = true;
    }
  }
  ~Stranger() {
    if (is_root_) {
      EXPECT_EQ(::seteuid(0), 0);
    }
    ::prctl(PR_SET_DUMPABLE, 1);
  }
  Stranger(const Stranger&) = delete;
  Stranger& operator=(const Stranger&) = delete;

 private:
  bool is_root_ = false;
};

TEST(SharedRegionRefusal, FromAnotherUser) {
  Communicator& comm = world();
  if (comm.size() < 2) GTEST_SKIP() << "needs two ranks";
  if (comm.is_root()) ::prctl(PR_SET_DUMPABLE, 0);
  std::string message;
  {
    std::optional<Stranger> stranger;
    if (comm.rank() == 1) stranger.emplace();
    message = refusal(5000);
  }
  if (comm.is_root()) ::prctl(PR_SET_DUMPABLE, 1);
  expect_parts(message,
               {"cannot be opened", comm.label(0), "Permission denied", "as one user", kRemedy});
  const SharedRegion again{comm, 5000};
}

}  // namespace
}  // namespace ballast::comm
