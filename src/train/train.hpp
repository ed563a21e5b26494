#pragma once

#include <string>

#include "base/error.hpp"
#include "base/stop_signal.hpp"
#include "comm/communicator.hpp"
#include "train/settings/config.hpp"

namespace ballast::train {

// For commands: `train` writes to its run directory and to the console. All other functions
// (offline/, plan/dry_run) return a value and print nothing; generated text goes to a function of
// the caller.

/// Trains until the last step, `run.stop_at`, or a signal. `resolved_ini` is the configuration as
/// text, kept in the run directory. Returns run_again (75) if a signal stopped it, or if nobody
/// reads standard output any more; unstable (4) if an alert stopped it, or if many updates in a row
/// were skipped. A signal before the first step is an Error with code 75. Collective.
ExitCode train(comm::Communicator& world, const StopSignal& stop_signal, const Config& config,
               const std::string& resolved_ini);

}  // namespace ballast::train
