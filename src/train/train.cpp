#include <string>
#include <utility>
#include <vector>

#include "comm/agree.hpp"
#include "fsdp/topology.hpp"
#include "storage/append_file.hpp"
#include "train/log/run_directory.hpp"
#include "train/plan/binding.hpp"
#include "train/start/agreement.hpp"
#include "train/start/fingerprint.hpp"
#include "train/start/resume_point.hpp"
#include "train/start/training_data.hpp"
#include "train/stop.hpp"
#include "train/trainer.hpp"
#include "train/training_run.hpp"
#include "train/watch/monitor_options.hpp"

namespace ballast::train {

namespace {

/// Replaces parallel.threads and helpers = auto by numbers. Returns what to say about them.
/// Collective.
std::string settle_binding(comm::Communicator& world, Config& config) {
  const auto topology = fsdp::discover_topology(world);
  const auto processors_of = gather_processors(world);
  const std::string text = describe_binding(topology, processors_of, config.parallel);
  settle_threads(config.parallel, topology, processors_of);
  return text;
}

/// What ended a run stands where its results are, and not on standard error alone. A disk that does
/// not take it changes nothing about the end.
void append_last_words(const std::filesystem::path& file, const Error& error) {
  try {
    storage::AppendFile{file}.write_line(fmt::format("ended: {}", error.what()));
  } catch (const Error&) {
  }
}

/// A training in its directory, from the checkpoint to resume to its end.
ExitCode train_in(comm::Communicator& world, const StopSignal& stop_signal, Config& config,
                  const data::Dataset& dataset, std::vector<std::string> notes,
                  const std::string& resolved_ini) {
  const ResumePoint from = find_resume_point(world, config);
  require_same_checkpoint(world, from.checkpoint);
  if (from.checkpoint) {
    config.gemm_table = resumed_gemm_table(world, config, from.checkpoint->folder);
  }
  notes.push_back(settle_binding(world, config));
  end_if_stopped(world, stop_signal);
  TrainingRun run{world, stop_signal, config, dataset, std::move(notes), resolved_ini};
  end_if_stopped(world, stop_signal);
  run.start(from);
  run.open_log(from);
  return run.run();
}

}  // namespace

ExitCode train(comm::Communicator& world, const StopSignal& stop_signal, const Config& given,
               const std::string& resolved_ini) {
  Config config = given;
  config.validate();
  world.set_timeout_s(config.parallel.timeout_s);
  const data::Dataset dataset = open_training_data(world, config);
  comm::agree(world, "monitor",
              [&] { config.monitor.held_out_every = settle_held_out(config, dataset); });
  config.model.vocabulary = dataset.info().vocabulary;
  auto notes = describe_training_data(config, dataset);
  notes.push_back(verify_training_data(world, dataset, config.data.verify));
  end_if_stopped(world, stop_signal);

  const RunDirectory run_directory{world, config.run.dir};
  world.set_last_words(config.run.dir / kTextLog);
  try {
    return train_in(world, stop_signal, config, dataset, std::move(notes), resolved_ini);
  } catch (const Error& error) {
    if (world.is_root()) append_last_words(config.run.dir / kTextLog, error);
    throw;
  }
}

}  // namespace ballast::train
