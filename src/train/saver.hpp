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

/// What became of an attempt to save.
enum class Saved {
  yes,
  no_update,  ///< not tried: the weights are those of the last checkpoint, all updates were skipped
  failed,     ///< the disk did not take it; older checkpoints are untouched
  unsound     ///< not tried: the state holds a value that is not finite
};

/// When a run saves, and what becomes of a save that cannot be: a state that is no good is never
/// saved over one that is, and a disk that is full for a while ends no training.
class Saver {
 public:
  /// All must outlive the saver; `log` is where it tells what it did.
  Saver(comm::Communicator& world, const CheckpointConfig& config, const ModelInJob& model,
        MetricsLog& log);

  /// Looks for room for one checkpoint; a data Error if there is none, a warning if it is for fewer
  /// than will be kept. Collective.
  void require_room(const std::filesystem::path& run_dir);

  /// The run goes on from a checkpoint of this state.
  void note_resumed(const checkpoint::TrainingState& state);

  /// Whether checkpoint.every asks for a save after `step`.
  [[nodiscard]] bool is_due(std::uint64_t step) const;
  /// Whether this rank's clock asks for one: rank 0's does when the last attempt is
  /// checkpoint.every_minutes ago. All ranks act on it after the step whose verdict carries it.
  [[nodiscard]] bool is_due_by_clock() const;

  /// A save on the way. Collective.
  Saved save(checkpoint::SaveRequest request);
  /// The last one of a run: also of a state without updates since the last checkpoint, which then
  /// does not count when older ones are deleted. Collective.
  Saved save_last(checkpoint::SaveRequest request);

  /// Whether checkpoint.give_up saves in a row have failed.
  [[nodiscard]] bool has_given_up() const;
  [[nodiscard]] std::uint64_t saved_step() const { return saved_step_; }
  /// Of the state at that step, where this run saved it.
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
