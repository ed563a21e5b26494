#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace ballast {

/// A bound on memory, and whose it is, for a message.
struct MemoryLimit {
  std::uint64_t bytes = 0;
  std::string source;  ///< "control group memory.max", "free memory (MemAvailable)", ...
};

/// What all processes of this job on this host may still take together: the least of the host's
/// available memory and of what the control groups above this process leave. `root` is where /proc
/// and /sys are looked for.
[[nodiscard]] MemoryLimit host_memory_limit(const std::filesystem::path& root = "/");

/// What this process alone may take (RLIMIT_AS, RLIMIT_DATA), if it is limited.
[[nodiscard]] std::optional<MemoryLimit> process_memory_limit();

}  // namespace ballast
