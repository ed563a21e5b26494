#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/loss_sums.hpp"
#include "monitor/alerts/alert.hpp"
#include "train/log/console.hpp"
#include "train/log/step_lines.hpp"

namespace ballast::train {

/// The name of the log for people in a run directory.
inline constexpr const char* kTextLog = "train.log";

/// One line of log.jsonl. Non-finite numbers are written as null, with "nonfinite": true.
struct Record {
  std::uint64_t step = 0;
  double loss = 0.0;
  double grad_norm = 0.0;
  bool has_labels = true;  ///< false: no label of the step had a weight; then there is no loss
  double lr = 0.0;
  std::uint64_t tokens = 0;  ///< labels since the start of the training
  double tokens_per_s = 0.0;
  double step_s = 0.0;
  double loss_scale = 1.0;
  double comm_work_s = 0.0;   ///< per step: moving bytes and adding up gradients
  double skew_s = 0.0;        ///< per step: waiting for ranks that arrive later
  double mem_peak_mib = 0.0;  ///< largest rank's proportional set size
  /// Model FLOP/s of a rank over the measured ceiling of its products, in a profiled run.
  std::optional<double> mfu = std::nullopt;
  std::optional<double> val_loss = std::nullopt;
  std::optional<double> val_bits_per_byte = std::nullopt;
  std::vector<model::LossFigure> figures{};      ///< means that the loss reports besides itself
  std::vector<model::LossFigure> val_figures{};  ///< the same of held-out text, as val_NAME
};

[[nodiscard]] std::string to_json(const Record& record);

/// A record for people: one line with progress and the time left.
[[nodiscard]] std::string to_line(const Record& record, std::uint64_t last_step, double left_s);

/// The logs of a run, written by rank 0 alone: log.jsonl, alerts.jsonl and monitor.jsonl for
/// programs, train.log and the console for people. Other ranks hold a silent one. A disk that
/// refuses lines does not end the training: one warning is written, and the lines are kept and
/// written later.
class MetricsLog {
 public:
  static MetricsLog silent() { return {}; }
  /// Opens the logs of a run directory. Records after step `keep_until` are cut off: a resumed
  /// run continues the log where its checkpoint was taken.
  MetricsLog(const std::filesystem::path& run_dir, std::uint64_t keep_until);

  void record(const Record& record, std::uint64_t last_step, double left_s);
  /// A line of alerts.jsonl, and one for people.
  void alert(const monitor::Alert& alert);
  /// A line of monitor.jsonl.
  void probe(std::string_view json);
  /// A line to train.log and the console.
  void say(std::string_view line);
  /// Whether somebody reads the console. If not, train.log goes on alone.
  [[nodiscard]] bool has_reader() const { return console_.has_reader(); }

 private:
  MetricsLog() = default;
  void write_text(std::string_view line);
  void write_messages();

  StepLines records_;
  StepLines alerts_;
  StepLines probes_;
  storage::AppendFile text_;
  Console console_;
};

}  // namespace ballast::train
