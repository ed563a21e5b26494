#include "train/train.hpp"

#include <string>
#include <utility>
#include <vector>

#include "storage/append_file.hpp"
#include "train/log/run_directory.hpp"
#include "train/plan/job.hpp"
#include "train/start/agreement.hpp"
#include "train/start/fingerprint.hpp"
#include "train/start/resume_point.hpp"
#include "train/start/training_data.hpp"
#include "train/stop.hpp"
#include "train/training_run.hpp"

namespace ballast::train {

namespace {

/// Writes the Error that ended a run into its log, so that it is not on standard error alone. If
/// the disk refuses the line, the end is the same.
void append_last_words(const std::filesystem::path& file, const Error& error) {
  try {
    storage::AppendFile{file}.write_line(fmt::format("ended: {}", error.what()));
  } catch (const Error&) {
  }
}

/// A training in its directory, from the checkpoint to resume to its end.
ExitCode train_in(comm::Communicator& world, const StopSignal& stop_signal, const Job& settled,
                  const data::Dataset& dataset, std::vector<std::string> notes,
                  const std::string& resolved_ini) {
  const ResumePoint from = find_resume_point(world, settled.config);
  require_same_checkpoint(world, from.checkpoint);
  const Job job = from.checkpoint ? settled.with_gemm_table(resumed_gemm_table(
                                        world, settled.config, from.checkpoint->folder))
                                  : settled;
  end_if_stopped(world, stop_signal);
  TrainingRun run{world, stop_signal, job, dataset, std::move(notes), resolved_ini};
  end_if_stopped(world, stop_signal);
  run.start(from);
  run.open_log(from);
  return run.run();
}

}  // namespace

ExitCode train(comm::Communicator& world, const StopSignal& stop_signal, const Config& config,
               const std::string& resolved_ini) {
  config.validate();
  world.set_timeout_s(config.parallel.timeout_s);
  const data::Dataset dataset = open_training_data(world, config);
  const Job job = settle(world, config, dataset);
  auto notes = describe_training_data(config, dataset);
  notes.push_back(verify_training_data(world, job.ranks.topology, dataset, config.data.verify));
  notes.push_back(job.ranks.note);
  end_if_stopped(world, stop_signal);

  const RunDirectory run_directory{world, config.run.dir};
  world.set_last_words(config.run.dir / kTextLog);
  try {
    return train_in(world, stop_signal, job, dataset, std::move(notes), resolved_ini);
  } catch (const Error& error) {
    if (world.is_root()) append_last_words(config.run.dir / kTextLog, error);
    throw;
  }
}

}  // namespace ballast::train
