#pragma once

#include <span>
#include <string>
#include <string_view>

#include "cli/command_line.hpp"
#include "cli/training_config.hpp"
#include "comm/communicator.hpp"
#include "comm/same.hpp"

namespace ballast::cli {

/// The advice if ranks were started differently.
inline constexpr std::string_view kStartAlike = "start all ranks with the same command and files";

/// The rows that must be the same on every rank, as asked for: `auto` is "auto".
[[nodiscard]] comm::Facts facts_of(std::span<const Option> options);

/// read_command_line on every rank of a job, `positional` as there. If one rank fails, all do; if a
/// value differs from rank 0's, all throw a usage Error that names both sides. Collective.
void read_command_line(comm::Communicator& world, Arguments arguments,
                       std::span<const Option> options, const std::string& positional = {});

/// The same for the commands that take a configuration. Files are read on rank 0 for all.
[[nodiscard]] TrainRequest read_train_request(comm::Communicator& world, Arguments arguments);
[[nodiscard]] TuneRequest read_tune_request(comm::Communicator& world, Arguments arguments);
[[nodiscard]] ProfileRequest read_profile_request(comm::Communicator& world, Arguments arguments);

}  // namespace ballast::cli
