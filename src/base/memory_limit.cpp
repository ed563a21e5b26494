#include "base/memory_limit.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <fstream>
#include <sstream>
#include <string_view>
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

/// The number behind `key` at the start of a line of a file.
std::optional<std::uint64_t> read_entry(const std::filesystem::path& file, std::string_view key) {
  std::ifstream stream{file};
  for (std::string line; std::getline(stream, line);) {
    std::istringstream fields{line};
    std::string name;
    std::uint64_t number = 0;
    if (fields >> name >> number && name == key) return number;
  }
  return std::nullopt;
}

std::uint64_t less(std::uint64_t whole, std::uint64_t part) {
  return whole - std::min(whole, part);
}

/// The names of a control group's files in the two versions of the interface.
struct Interface {
  std::string_view controller;  ///< as /proc/self/cgroup names it
  std::string_view mount;
  std::string_view limit;
  std::string_view usage;
  std::array<std::string_view, 2> file_pages;  ///< in memory.stat
};

constexpr std::array<Interface, 2> kInterfaces{{
    {"", "sys/fs/cgroup", "memory.max", "memory.current", {"inactive_file", "active_file"}},
    {"memory",
     "sys/fs/cgroup/memory",
     "memory.limit_in_bytes",
     "memory.usage_in_bytes",
     {"total_inactive_file", "total_active_file"}},
}};

/// Whether `controller` is one of "cpu,memory".
bool lists(std::string_view controllers, std::string_view controller) {
  if (controllers == controller) return true;
  if (controller.empty()) return false;
  return fmt::format(",{},", controllers).find(fmt::format(",{},", controller)) !=
         std::string::npos;
}

/// This process's group of one interface, from a line "id:controllers:path".
std::optional<std::filesystem::path> group_path(const std::filesystem::path& root,
                                                const Interface& interface) {
  std::ifstream stream{root / "proc/self/cgroup"};
  for (std::string line; std::getline(stream, line);) {
    const auto first = line.find(':');
    const auto second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const auto controllers = std::string_view{line}.substr(first + 1, second - first - 1);
    if (lists(controllers, interface.controller)) return line.substr(second + 1);
  }
  return std::nullopt;
}

/// The memory that its processes use without file pages.
std::uint64_t used_by(const std::filesystem::path& folder, const Interface& interface) {
  std::uint64_t used = read_number(folder / interface.usage).value_or(0);
  for (const auto key : interface.file_pages) {
    used = less(used, read_entry(folder / "memory.stat", key).value_or(0));
  }
  return used;
}

/// The memory that the group and those above it leave. In a container the path may be the host's
/// and not exist: the walk then ends at the container's own group, which is mounted as the root.
void add_group_limits(const std::filesystem::path& root, const Interface& interface,
                      std::vector<MemoryLimit>& limits) {
  auto path = group_path(root, interface);
  if (!path) return;
  for (;; *path = path->parent_path()) {
    const auto folder = root / interface.mount / path->relative_path();
    if (const auto limit = read_number(folder / interface.limit)) {
      limits.push_back({less(*limit, used_by(folder, interface)),
                        fmt::format("{} of control group {}", interface.limit, path->string())});
    }
    if (!path->has_relative_path()) return;
  }
}

/// A limit, of which /proc/self/status names the use in KiB.
std::optional<ProcessLimit> process_limit(int resource, std::string_view use, std::string source) {
  rlimit limit{};
  if (::getrlimit(resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return std::nullopt;
  const std::uint64_t used_kib = read_entry("/proc/self/status", use).value_or(0);
  return ProcessLimit{{limit.rlim_cur, std::move(source)}, used_kib * 1024};
}

}  // namespace

MemoryLimit host_memory_limit(const std::filesystem::path& root) {
  const auto available_kib = read_entry(root / "proc/meminfo", "MemAvailable:");
  std::vector<MemoryLimit> limits{
      {available_kib ? *available_kib * 1024 : UINT64_MAX, "free memory (MemAvailable)"}};
  for (const Interface& interface : kInterfaces) add_group_limits(root, interface, limits);
  return std::ranges::min(limits, {}, &MemoryLimit::bytes);
}

ProcessLimits process_memory_limits() {
  return {.data = process_limit(RLIMIT_DATA, "VmData:", "ulimit -d"),
          .address_space = process_limit(RLIMIT_AS, "VmSize:", "ulimit -v")};
}

}  // namespace ballast
