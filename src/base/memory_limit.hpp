#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace ballast {

/// What a bound on memory leaves, and whose it is, for a message.
struct MemoryLimit {
  std::uint64_t bytes = 0;
  std::string source;  ///< "free memory (MemAvailable)", "memory.max of control group /job", ...
};

/// What all processes of this job on this host may still take together: the least of the host's
/// available memory and of what the control groups above this process leave. File pages of a group
/// count as free, since the kernel drops them when memory is wanted. `root` is where /proc and /sys
/// are looked for.
[[nodiscard]] MemoryLimit host_memory_limit(const std::filesystem::path& root = "/");

/// What this process alone may take, what it has taken included.
struct ProcessLimit {
  MemoryLimit limit;
  std::uint64_t in_use = 0;
};
struct ProcessLimits {
  std::optional<ProcessLimit> data;           ///< private memory: RLIMIT_DATA
  std::optional<ProcessLimit> address_space;  ///< with what is shared and mapped: RLIMIT_AS
};
[[nodiscard]] ProcessLimits process_memory_limits();

}  // namespace ballast
