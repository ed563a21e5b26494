#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace ballast {

/// The memory that a limit leaves, and the name of that limit, for a message.
struct MemoryLimit {
  std::uint64_t bytes = 0;
  std::string source;  ///< "free memory (MemAvailable)", "memory.max of control group /job", ...
};

/// The memory that all processes of this job on this host may still take together: the smaller of
/// the host's available memory and of what the control groups above this process leave. A group's
/// file pages count as free, since the kernel drops them when memory is needed. /proc and /sys are
/// read below `root`.
[[nodiscard]] MemoryLimit host_memory_limit(const std::filesystem::path& root = "/");

/// The memory that this process alone may have, and how much of it is in use.
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
