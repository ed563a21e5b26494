#include "train/offline/export_run.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "storage/append_file.hpp"
#include "train/log/metrics_log.hpp"
#include "train/offline/export.hpp"
#include "train/offline/new_output.hpp"

namespace ballast::train {

namespace {

/// A log that cannot be written changes nothing about what was exported.
void append_to_log(const std::filesystem::path& run_dir, const std::string& line) {
  try {
    storage::AppendFile{run_dir / kTextLog}.write_line(line);
  } catch (const Error&) {
  }
}

}  // namespace

std::filesystem::path run_export(const std::filesystem::path& run_dir, ExportFormat format) {
  return run_dir / (format == ExportFormat::gguf ? "export.gguf" : "export-hf");
}

std::string export_run(comm::Communicator& world, const Config& config,
                       const std::string& program) {
  if (config.checkpoint.export_as == ExportFormat::none) return {};
  const std::string where = fmt::format(
      "the run is done and saved, but not exported (checkpoint.export; 'ballast export "
      "--checkpoint {}' tries again)",
      config.run.dir.string());
  const Exported made = with_context(where, [&] {
    return export_model(world, {.checkpoint = config.run.dir,
                                .output = run_export(config.run.dir, config.checkpoint.export_as),
                                .format = config.checkpoint.export_as,
                                .program = program,
                                .title = without_trailing_slash(config.run.dir).filename().string(),
                                .timeout_s = config.parallel.timeout_s,
                                .earlier = ExportOptions::Earlier::replaced});
  });
  const std::string line =
      fmt::format("exported {} as {} ({}, {}); tokenizer {}", made.source.string(),
                  made.output.string(), made.architecture, human_bytes(made.bytes), made.tokenizer);
  if (world.is_root()) append_to_log(config.run.dir, line);
  return line;
}

}  // namespace ballast::train
