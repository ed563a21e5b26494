#include "train/offline/export.hpp"

#include "base/error.hpp"
#include "comm/agree.hpp"
#include "train/offline/export_folder.hpp"
#include "train/offline/export_gguf.hpp"
#include "train/offline/export_job.hpp"
#include "train/offline/new_output.hpp"

namespace ballast::train {

namespace {

void require_new_output(const ExportOptions& options) {
  if (options.earlier == ExportOptions::Earlier::replaced) return;
  const auto output = without_trailing_slash(options.output);
  if (options.format == ExportFormat::gguf) {
    require_new_file(output);
  } else {
    require_new(output);
  }
}

void require_calibration_of_gguf(const ExportOptions& options) {
  if (options.calibrate.empty() && options.calibrate_windows) {
    throw usage_error(
        "--calibrate-windows says how much of --calibrate is read: give that as well");
  }
  if (options.calibrate.empty() || options.format == ExportFormat::gguf) return;
  throw usage_error(
      "--calibrate is for the blocks of --format gguf; the weights of a folder are rounded one by "
      "one: leave it out");
}

}  // namespace

Exported export_model(comm::Communicator& world, const ExportOptions& options) {
  world.set_timeout_s(options.timeout_s);
  require_calibration_of_gguf(options);
  comm::agree(world, "output", [&] {
    if (world.is_root()) require_new_output(options);
  });
  const ExportJob job{world, options};
  switch (options.format) {
    case ExportFormat::hf:
      return export_folder(job);
    case ExportFormat::gguf:
      return export_gguf(job);
    case ExportFormat::none:
      break;
  }
  throw internal_error("an export has no format");
}

}  // namespace ballast::train
