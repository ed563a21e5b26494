#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "calibrate/outcome.hpp"
#include "monitor/alerts/calibration.hpp"
#include "monitor/signals/features.hpp"

namespace ballast::calibrate {

/// The facts that a run's configuration states.
struct RunFacts {
  monitor::Architecture model;
  std::uint64_t last_step = 0;  ///< the planned one
};

/// A probe, and the values from which the risk was, or would have been, computed.
struct Look {
  std::uint64_t step = 0;
  monitor::FeatureVector features{};  ///< medians over the newest probes, as the monitor takes them
};

/// A run, read from its folder.
struct Run {
  std::string name;  ///< as it was given
  RunFacts facts;
  std::vector<Record> records;  ///< at least one
  std::vector<Look> looks;      ///< at least one
  Ending ending = Ending::reached;
};

/// Reads log.jsonl and monitor.jsonl of a folder, and alerts.jsonl if it is there. Every one of
/// `features` must have a value somewhere. Data Errors name the file, and line or step.
[[nodiscard]] Run read_run(const std::filesystem::path& folder, const RunFacts& facts,
                           std::span<const monitor::Feature> features);

}  // namespace ballast::calibrate
