#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "train/settings/config.hpp"

namespace ballast::train {

/// The jobs to plan for.
struct DryRun {
  std::vector<std::size_t> ranks{1, 2, 4, 8, 16};
  std::optional<std::uint64_t> ranks_per_host;  ///< not set: all of them on one host
};

/// The memory that a training would take, as text, for each rank count. The figures are those of
/// the first host, which has the most ranks. A single count is shown class by class. Reads the
/// dataset's header, allocates none of the memory, needs no MPI. Usage and data Errors as those of
/// `train`.
[[nodiscard]] std::string dry_run(const Config& config, const DryRun& request);

}  // namespace ballast::train
