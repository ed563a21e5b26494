#pragma once

#include <string>

#include "base/error.hpp"
#include "base/stop_signal.hpp"
#include "comm/communicator.hpp"
#include "train/settings/config.hpp"

namespace ballast::train {

// What this folder does for commands: a training writes to its run directory and its console, as a
// log does. All else that is asked of a model (offline/, plan/dry_run) comes back as a value and
// prints nothing; text that appears as it is written goes to a sink that the caller gives.

/// Trains until the last step, `run.stop_at`, or a signal. `resolved_ini` is the configuration as
/// text, kept in the run directory. Returns run_again (75) when a signal or the loss of its reader
/// stopped it, unstable (4) when update after update had to be skipped; a signal before the first
/// step is an Error with code 75. Collective.
ExitCode train(comm::Communicator& world, const StopSignal& stop_signal, const Config& config,
               const std::string& resolved_ini);

}  // namespace ballast::train
