#include "cli/launcher.hpp"

#include <cstdlib>

#include "cli/option.hpp"

namespace ballast::cli {

std::optional<int> launcher_rank() {
  for (const char* name : {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK"}) {
    const char* const value = std::getenv(name);
    const auto rank = value == nullptr ? std::nullopt : parse_whole(value);
    if (rank && *rank <= INT32_MAX) return static_cast<int>(*rank);
  }
  return std::nullopt;
}

}  // namespace ballast::cli
