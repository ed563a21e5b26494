#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace ballast {

[[nodiscard]] std::string host_name();

/// Processors that this process may run on; at least 1.
[[nodiscard]] std::size_t usable_processors();

/// Memory of this process in bytes, from /proc/self/smaps_rollup; pages shared with other processes
/// count once over all of them (proportional set size).
struct MemoryUse {
  std::uint64_t pss = 0;
  std::uint64_t anonymous = 0;
};
[[nodiscard]] MemoryUse memory_use();

}  // namespace ballast
