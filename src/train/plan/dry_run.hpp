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
  std::optional<std::uint64_t> ranks_per_host;  ///< all of them on one host where not set
};

/// What the memory of a training would come to, in words, by rank count: of the first host, which
/// has as many ranks as any. One count alone is shown class by class. Reads the dataset's header,
/// allocates none of it, needs no MPI. Usage and data Errors as those of `train`.
[[nodiscard]] std::string dry_run(const Config& config, const DryRun& request);

}  // namespace ballast::train
