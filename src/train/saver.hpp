#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/hash.hpp"
#include "checkpoint/checkpoint.hpp"
#include "comm/communicator.hpp"
#include "train/log/metrics_log.hpp"
#include "train/plan/model_in_job.hpp"
#include "train/settings/config.hpp"

namespace ballast::train {

/// The outcome of a save.
enum class Saved {
  yes,
  no_update,  ///< not tried: all updates since the last checkpoint were skipped
  failed,     ///< the disk refused it; older checkpoints are untouched
  unsound     ///< not tried: the state holds a value that is not finite
};

/// Decides when a run saves, and what a failed save means. A state with a value that is not finite
/// is never saved, so good checkpoints stay; a disk that is full for a while does not end the
/// training.
class Saver {
 public:
  /// All must outlive the saver; `log` receives a line about each save.
  Saver(comm::Communicator& world, const CheckpointConfig& config, const ModelInJob& model,
        MetricsLog& log);

  /// Checks the free space: a data Error if one checkpoint does not fit, a warning in the log if
  /// fewer fit than will be kept. Collective.
  void require_room(const std::filesystem::path& run_dir);

  /// To be called when the run resumes from a checkpoint of `state`.
  void note_resumed(const checkpoint::TrainingState& state);

  /// Whether checkpoint.every asks for a save after `step`.
  [[nodiscard]] bool is_due(std::uint64_t step) const;
  /// Whether this rank's clock asks for a save: that of rank 0 does if the last attempt was
  /// checkpoint.every_minutes ago. All ranks learn it from the verdict of the next step.
  [[nodiscard]] bool is_due_by_clock() const;

  /// A save between steps. Collective.
  Saved save(checkpoint::SaveRequest request);
  /// The last save of a run. It saves a state without updates since the last checkpoint too, and
  /// then deletes no older checkpoint. Collective.
  Saved save_last(checkpoint::SaveRequest request);

  /// Whether checkpoint.give_up saves in a row have failed.
  [[nodiscard]] bool has_given_up() const;
  [[nodiscard]] std::uint64_t saved_step() const { return saved_step_; }
  /// The hash of the state at that step; not set unless this run saved it.
  [[nodiscard]] std::optional<Hash128> saved_hash() const { return saved_hash_; }

 private:
  Saved attempt(const checkpoint::SaveRequest& request);
  [[nodiscard]] checkpoint::Retention retention() const;

  comm::Communicator* world_;
  const CheckpointConfig* config_;
  const ModelInJob* model_;
  MetricsLog* log_;
  Stopwatch since_attempt_;
  std::uint64_t saved_step_ = 0;
  std::uint64_t saved_updates_ = 0;
  std::optional<Hash128> saved_hash_;
  std::uint64_t failures_ = 0;  ///< in a row
};

}  // namespace ballast::train
