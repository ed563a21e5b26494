#pragma once

#include <filesystem>
#include <string>

#include "comm/communicator.hpp"
#include "train/settings/config.hpp"

namespace ballast::train {

/// Where a run's last checkpoint is exported to.
[[nodiscard]] std::filesystem::path run_export(const std::filesystem::path& run_dir,
                                               ExportFormat format);

/// Does what checkpoint.export asks for, once a run has ended and its last step is saved: that
/// checkpoint becomes a Hugging Face folder or a GGUF file in the run directory, in the place of an
/// earlier one.
/// Returns a line on it, empty where nothing was asked for; the run's train.log gets the line, too.
/// `program` as in ExportOptions. An Error says how to try again: the checkpoint is untouched.
/// Collective.
[[nodiscard]] std::string export_run(comm::Communicator& world, const Config& config,
                                     const std::string& program);

}  // namespace ballast::train
