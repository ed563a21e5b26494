#include "train/measure/profiler.hpp"

#include <fmt/format.h>

#include "comm/agree.hpp"
#include "model/flop.hpp"
#include "storage/files.hpp"
#include "train/measure/profile_table.hpp"
#include "train/measure/profile_trace.hpp"

namespace ballast::train {

namespace {

constexpr const char* kFolder = "profile";

}  // namespace

void Profiler::calibrate(comm::Communicator& world, const Workspace& workspace) {
  const auto& model = workspace.model();
  ceilings_ =
      measure_ceilings(world, workspace.gemm(), *model_, model.shape(), config_->precision.param);
  // The clocks of several hosts differ: this moment is the common origin.
  world.barrier({"calibration"});
  origin_ns_ = monotonic_ns();
}

double Profiler::utilization(double tokens_per_s) const {
  const double flop =
      model::training_flop_per_token(*model_, config_->data.seq_len, config_->optim.freeze);
  return flop * tokens_per_s / ceilings_.products_of(config_->precision.param);
}

std::string Profiler::table_of(comm::Communicator& world, std::span<const ProfileEvent> events,
                               const SpanNames& names) const {
  const auto table = make_profile_table(events, names, ceilings_, config_->precision.param);
  return fmt::format(
      "profile of rank 0 over the last {} step(s), {:.1f} ms each; calls and ms are per "
      "step\nceilings of a rank, {} at work: {}\n\n{}",
      table.steps, 1e3 * table.step_s, world.size(), describe(ceilings_), to_text(table));
}

std::string Profiler::write(comm::Communicator& world, const Workspace& workspace) const {
  const auto folder = config_->run.dir / kFolder;
  const SpanNames names{*model_, workspace.layout().table()};
  const auto events = profile_.last_steps(config_->log_profile);
  comm::agree(world, "profile", [&] {
    if (!world.is_root()) return;
    // An earlier run may have had more ranks.
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);
  });
  std::string table;
  comm::agree(world, "profile", [&] {
    const TraceOrigin origin{world.rank(), world.host(world.rank()), origin_ns_};
    storage::write_text_atomically(folder / fmt::format("rank-{}.json", world.rank()),
                                   to_trace(events, names, origin));
    if (!world.is_root()) return;
    table = table_of(world, events, names);
    storage::write_text_atomically(folder / "table.txt", table);
  });
  return table;
}

}  // namespace ballast::train
