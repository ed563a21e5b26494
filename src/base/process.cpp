#include "base/process.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <sched.h>
#include <sstream>
#include <unistd.h>

namespace ballast {

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "unknown-host";
  return name.data();
}

MemoryUse memory_use() {
  MemoryUse use;
  std::ifstream rollup{"/proc/self/smaps_rollup"};
  for (std::string line; std::getline(rollup, line);) {
    std::istringstream fields{line};
    std::string key;
    std::uint64_t kib = 0;
    fields >> key >> kib;
    if (key == "Pss:") use.pss = kib * 1024;
    if (key == "Anonymous:") use.anonymous = kib * 1024;
  }
  return use;
}

std::size_t usable_processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return std::max<std::size_t>(1, static_cast<std::size_t>(CPU_COUNT(&set)));
}

}  // namespace ballast
