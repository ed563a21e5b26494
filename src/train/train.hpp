#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/stop_signal.hpp"
#include "comm/communicator.hpp"
#include "model/sampling.hpp"
#include "train/settings/config.hpp"

namespace ballast::train {

/// Trains until the last step, `run.stop_at`, or a signal. `resolved_ini` is the configuration as
/// text, kept in the run directory. Returns run_again (75) when a signal or the loss of its reader
/// stopped it, unstable (4) when update after update had to be skipped; a signal before the first
/// step is an Error with code 75. Collective.
ExitCode train(comm::Communicator& world, const StopSignal& stop_signal, const Config& config,
               const std::string& resolved_ini);

struct EvalOptions {
  std::filesystem::path checkpoint;  ///< a checkpoint, or a run directory: its newest
  std::filesystem::path data;        ///< empty: the dataset it was trained on
  double timeout_s = ParallelConfig{}.timeout_s;
};

/// Prints loss and bits per byte over the whole validation split. Collective.
ExitCode evaluate(comm::Communicator& world, const EvalOptions& options);

struct GenerateOptions {
  std::filesystem::path checkpoint;  ///< a checkpoint, or a run directory: its newest
  std::string prompt;
  std::size_t tokens = 256;
  model::SamplingRule rule;
  std::uint64_t seed = 1;
};

/// Continues a prompt in one process; `emit` receives the text piece by piece, the prompt left out.
ExitCode generate(const GenerateOptions& options,
                  const std::function<void(std::string_view)>& emit);

}  // namespace ballast::train
