#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "base/profile.hpp"
#include "train/measure/ceilings.hpp"
#include "train/measure/span_names.hpp"
#include "train/plan/job.hpp"
#include "train/plan/workspace.hpp"

namespace ballast::train {

/// What `log.profile` asks for: a profile of the last steps of a run, compared with ceilings that
/// are measured before the first step.
class Profiler {
 public:
  /// `job` must outlive this.
  explicit Profiler(const Job& job) : model_{&job.model}, config_{&job.config} {}

  [[nodiscard]] Profile& profile() { return profile_; }

  /// Measures the ceilings with the workspace's products. Collective.
  void calibrate(comm::Communicator& world, const Workspace& workspace);
  [[nodiscard]] const Ceilings& ceilings() const { return ceilings_; }

  /// Model FLOP/s as a share of the products' ceiling, at `tokens_per_s` on each rank.
  [[nodiscard]] double utilization(double tokens_per_s) const;

  /// Writes profile/rank-R.json of every rank and profile/table.txt of rank 0 to the run directory.
  /// Returns the table, on rank 0. Collective.
  std::string write(comm::Communicator& world, const Workspace& workspace) const;

 private:
  [[nodiscard]] std::string table_of(comm::Communicator& world,
                                     std::span<const ProfileEvent> events,
                                     const SpanNames& names) const;

  const model::ModelConfig* model_;
  const Config* config_;
  Profile profile_;
  Ceilings ceilings_;
  std::int64_t origin_ns_ = 0;
};

}  // namespace ballast::train
