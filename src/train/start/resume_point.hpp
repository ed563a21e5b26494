#pragma once

#include <optional>
#include <string>
#include <vector>

#include "checkpoint/check.hpp"
#include "comm/communicator.hpp"
#include "train/settings/config.hpp"

namespace ballast::train {

/// Where a run begins.
struct ResumePoint {
  std::optional<checkpoint::Checked> checkpoint;  ///< nothing: a fresh start
  std::vector<std::string> news;                  ///< what is to be said of the way there
};

/// What checkpoint.resume asks for, given what the run directory holds; every file of the
/// checkpoint has been read and is whole. With `true` it is the newest that is: one that is damaged
/// is named, set aside, and the one before it taken, on all ranks alike. A usage Error if the
/// directory holds checkpoints and nothing was said of them; a data Error if none of them is whole,
/// or the one asked for by its path is not. Collective.
[[nodiscard]] ResumePoint find_resume_point(comm::Communicator& world, const Config& config);

}  // namespace ballast::train
