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
  std::vector<std::string> messages;              ///< lines for the log about damaged checkpoints
};

/// Finds the checkpoint that checkpoint.resume asks for; every file of it has been read and is
/// whole. With `true` it is the newest whole one; damaged newer ones are reported and renamed. The
/// same on all ranks. A usage Error if the directory holds checkpoints and checkpoint.resume is
/// `false`; a data Error if none of them is whole, or if the one given by its path is not.
/// Collective.
[[nodiscard]] ResumePoint find_resume_point(comm::Communicator& world, const Config& config);

}  // namespace ballast::train
