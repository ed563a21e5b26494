#include "base/memory_limit.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <sys/resource.h>
#include <vector>

namespace ballast {

namespace {

std::optional<std::uint64_t> read_number(const std::filesystem::path& file) {
  std::ifstream stream{file};
  std::uint64_t number = 0;
  if (stream >> number) return number;
  return std::nullopt;  // absent, or the word "max"
}

/// The value of a line "key: value kB" of a file, in bytes.
std::optional<std::uint64_t> read_kib(const std::filesystem::path& file, const std::string& key) {
  std::ifstream stream{file};
  for (std::string line; std::getline(stream, line);) {
    if (line.starts_with(key)) return std::stoull(line.substr(key.size())) * 1024;
  }
  return std::nullopt;
}

/// The file names of a control group's limit and use, in the two versions of the interface.
struct GroupFiles {
  std::string controller;  ///< as /proc/self/cgroup names it
  std::filesystem::path mount;
  std::string limit;
  std::string usage;
};

const std::array<GroupFiles, 2> kInterfaces{{
    {"", "sys/fs/cgroup", "memory.max", "memory.current"},
    {"memory", "sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes"},
}};

/// This process's group of one interface, from a line "id:controllers:path".
std::optional<std::filesystem::path> group_path(const std::filesystem::path& root,
                                                const GroupFiles& files) {
  std::ifstream stream{root / "proc/self/cgroup"};
  for (std::string line; std::getline(stream, line);) {
    const auto first = line.find(':');
    const auto second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    if (line.substr(first + 1, second - first - 1) == files.controller) {
      return line.substr(second + 1);
    }
  }
  return std::nullopt;
}

/// What the group and those above it leave.
void add_group_limits(const std::filesystem::path& root, const GroupFiles& files,
                      std::vector<MemoryLimit>& limits) {
  auto path = group_path(root, files);
  if (!path) return;
  for (;; *path = path->parent_path()) {
    const auto folder = root / files.mount / path->relative_path();
    const auto limit = read_number(folder / files.limit);
    if (limit) {
      const std::uint64_t used = read_number(folder / files.usage).value_or(0);
      limits.push_back({*limit - std::min(*limit, used), "control group " + files.limit});
    }
    if (!path->has_relative_path()) return;
  }
}

}  // namespace

MemoryLimit host_memory_limit(const std::filesystem::path& root) {
  std::vector<MemoryLimit> limits{
      {read_kib(root / "proc/meminfo", "MemAvailable:").value_or(UINT64_MAX),
       "free memory (MemAvailable)"}};
  for (const GroupFiles& files : kInterfaces) add_group_limits(root, files, limits);
  return std::ranges::min(limits, {}, &MemoryLimit::bytes);
}

std::optional<MemoryLimit> process_memory_limit() {
  std::optional<MemoryLimit> least;
  const auto consider = [&](int resource, const char* name) {
    rlimit limit{};
    if (::getrlimit(resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return;
    if (!least || limit.rlim_cur < least->bytes) least = {limit.rlim_cur, name};
  };
  consider(RLIMIT_AS, "ulimit -v");
  consider(RLIMIT_DATA, "ulimit -d");
  return least;
}

}  // namespace ballast
