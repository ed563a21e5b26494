#include "base/memory_limit.hpp"

#include <fstream>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "support/temporary_folder.hpp"

namespace ballast {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

/// A root folder with 1,000 MiB available and nothing else said.
class FakeHost : public testing::Test {
 protected:
  FakeHost() { write("proc/meminfo", "MemTotal: 9000000 kB\nMemAvailable:    1024000 kB\n"); }

  void write(const std::string& name, const std::string& text) {
    const auto path = root_ / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream{path} << text;
  }
  [[nodiscard]] MemoryLimit limit() const { return host_memory_limit(root_.path()); }

 private:
  test::TemporaryFolder root_;
};

TEST_F(FakeHost, WithoutGroupsTheAvailableMemoryCounts) {
  EXPECT_EQ(limit().bytes, 1000 * kMiB);
  EXPECT_EQ(limit().source, "free memory (MemAvailable)");
}

TEST_F(FakeHost, NothingKnownIsNoLimit) {
  write("proc/meminfo", "MemTotal: 9000000 kB\n");
  EXPECT_EQ(limit().bytes, UINT64_MAX);
}

TEST_F(FakeHost, AGroupLeavesWhatItDoesNotUse) {
  write("proc/self/cgroup", "0::/job\n");
  write("sys/fs/cgroup/job/memory.max", "524288000\n");
  write("sys/fs/cgroup/job/memory.current", "209715200\n");
  EXPECT_EQ(limit().bytes, 300 * kMiB);
  EXPECT_EQ(limit().source, "memory.max of control group /job");
}

TEST_F(FakeHost, FilePagesOfAGroupAreFree) {
  write("proc/self/cgroup", "0::/job\n");
  write("sys/fs/cgroup/job/memory.max", "524288000\n");
  write("sys/fs/cgroup/job/memory.current", "524288000\n");
  write("sys/fs/cgroup/job/memory.stat",
        "anon 104857600\nfile 419430400\ninactive_file 314572800\nactive_file 104857600\n");
  EXPECT_EQ(limit().bytes, 400 * kMiB);
}

TEST_F(FakeHost, AGroupOverItsLimitLeavesNothing) {
  write("proc/self/cgroup", "0::/job\n");
  write("sys/fs/cgroup/job/memory.max", "1000\n");
  write("sys/fs/cgroup/job/memory.current", "2000\n");
  EXPECT_EQ(limit().bytes, 0u);
}

TEST_F(FakeHost, MaxIsNoLimit) {
  write("proc/self/cgroup", "0::/job\n");
  write("sys/fs/cgroup/job/memory.max", "max\n");
  write("sys/fs/cgroup/job/memory.current", "5\n");
  EXPECT_EQ(limit().bytes, 1000 * kMiB);
}

TEST_F(FakeHost, TheTightestOfNestedGroupsCounts) {
  write("proc/self/cgroup", "0::/slurm/job_7/step_0\n");
  write("sys/fs/cgroup/slurm/job_7/step_0/memory.max", "max\n");
  write("sys/fs/cgroup/slurm/job_7/memory.max", "419430400\n");
  write("sys/fs/cgroup/slurm/job_7/memory.current", "0\n");
  write("sys/fs/cgroup/slurm/memory.max", "838860800\n");
  write("sys/fs/cgroup/slurm/memory.current", "734003200\n");
  EXPECT_EQ(limit().bytes, 100 * kMiB);
  EXPECT_EQ(limit().source, "memory.max of control group /slurm");
}

TEST_F(FakeHost, AContainersOwnGroupIsMountedAsTheRoot) {
  write("proc/self/cgroup", "0::/\n");
  write("sys/fs/cgroup/memory.max", "209715200\n");
  write("sys/fs/cgroup/memory.current", "0\n");
  EXPECT_EQ(limit().bytes, 200 * kMiB);
  // Without a name space of its own it sees a path that is not there.
  write("proc/self/cgroup", "0::/docker/4f1c\n");
  EXPECT_EQ(limit().bytes, 200 * kMiB);
}

TEST_F(FakeHost, TheFirstVersionHasOtherNames) {
  write("proc/self/cgroup", "11:cpuset:/elsewhere\n4:cpu,memory:/batch/job\n0::/\n");
  write("sys/fs/cgroup/memory/batch/job/memory.limit_in_bytes", "314572800\n");
  write("sys/fs/cgroup/memory/batch/job/memory.usage_in_bytes", "209715200\n");
  write("sys/fs/cgroup/memory/batch/job/memory.stat",
        "inactive_file 1\ntotal_inactive_file 52428800\ntotal_active_file 52428800\n");
  // No limit, as that version writes it.
  write("sys/fs/cgroup/memory/batch/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_EQ(limit().bytes, 200 * kMiB);
  EXPECT_EQ(limit().source, "memory.limit_in_bytes of control group /batch/job");
}

TEST(HostMemoryLimit, KnowsThisHost) {
  EXPECT_GT(host_memory_limit().bytes, 0u);
  EXPECT_LT(host_memory_limit().bytes, UINT64_MAX);
}

/// Sets a soft limit, which may be taken back.
class SoftLimit {
 public:
  SoftLimit(int resource, std::uint64_t bytes) : resource_{resource} {
    ::getrlimit(resource_, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    EXPECT_EQ(::setrlimit(resource_, &limit), 0);
  }
  ~SoftLimit() { ::setrlimit(resource_, &before_); }
  SoftLimit(const SoftLimit&) = delete;
  SoftLimit& operator=(const SoftLimit&) = delete;

 private:
  int resource_;
  rlimit before_{};
};

TEST(ProcessMemoryLimits, ComeWithTheirUse) {
  constexpr std::uint64_t kLimit = std::uint64_t{1} << 46;
  const SoftLimit data{RLIMIT_DATA, kLimit};
  const SoftLimit address_space{RLIMIT_AS, 2 * kLimit};
  const ProcessLimits limits = process_memory_limits();
  ASSERT_TRUE(limits.data && limits.address_space);
  EXPECT_EQ(limits.data->limit.source, "ulimit -d");
  EXPECT_EQ(limits.address_space->limit.source, "ulimit -v");
  EXPECT_EQ(limits.data->limit.bytes, kLimit);
  EXPECT_EQ(limits.address_space->limit.bytes, 2 * kLimit);
  EXPECT_GT(limits.data->in_use, 100'000u);
  EXPECT_GT(limits.address_space->in_use, limits.data->in_use);
}

TEST(ProcessMemoryLimits, AreAbsentWhereNothingIsLimited) {
  rlimit limit{};
  ::getrlimit(RLIMIT_DATA, &limit);
  EXPECT_EQ(process_memory_limits().data.has_value(), limit.rlim_cur != RLIM_INFINITY);
}

}  // namespace
}  // namespace ballast
