#include "train/log/metrics_log.hpp"

#include <cmath>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.hpp"

namespace ballast::train {

namespace {

using Json = nlohmann::ordered_json;

void put(Json& object, const std::string& key, double value) {
  if (std::isfinite(value)) {
    object[key] = value;
  } else {
    object[key] = nullptr;
    object["nonfinite"] = true;
  }
}

}  // namespace

std::string to_json(const Record& record) {
  Json object;
  object["step"] = record.step;
  if (record.has_labels) {
    put(object, "loss", record.loss);
    for (const auto& [name, mean] : record.figures) put(object, std::string{name}, mean);
  } else {
    object["loss"] = nullptr;
    object["labels"] = 0;
  }
  put(object, "grad_norm", record.grad_norm);
  put(object, "lr", record.lr);
  object["tokens"] = record.tokens;
  put(object, "tokens_per_s", record.tokens_per_s);
  put(object, "step_s", record.step_s);
  put(object, "loss_scale", record.loss_scale);
  put(object, "comm_work_s", record.comm_work_s);
  put(object, "skew_s", record.skew_s);
  put(object, "comm_exposed_s", record.comm_work_s + record.skew_s);
  put(object, "mem_peak_mib", record.mem_peak_mib);
  if (record.mfu) put(object, "mfu", *record.mfu);
  if (record.val_loss) {
    put(object, "val_loss", *record.val_loss);
    object["val_bits_per_byte"] = nullptr;  // of token ids nobody knows the bytes
  }
  if (record.val_bits_per_byte) put(object, "val_bits_per_byte", *record.val_bits_per_byte);
  for (const auto& [name, mean] : record.val_figures)
    put(object, fmt::format("val_{}", name), mean);
  return object.dump();
}

std::string to_line(const Record& record, std::uint64_t last_step, double left_s) {
  std::string line = fmt::format(
      "step {:>{}}/{}  {}  grad {:.3f}  lr {:.2e}  {} tokens/s  {:.3f} s/step{}  {} left",
      record.step, std::to_string(last_step).size(), last_step,
      record.has_labels ? fmt::format("loss {:.4f}", record.loss) : "no labels", record.grad_norm,
      record.lr, with_thousands(static_cast<std::uint64_t>(record.tokens_per_s)), record.step_s,
      record.mfu ? fmt::format("  MFU {:.1f}%", 100.0 * *record.mfu) : "", human_duration(left_s));
  if (record.val_bits_per_byte) {
    line += fmt::format("  | held out: {:.4f} bits/byte", *record.val_bits_per_byte);
  } else if (record.val_loss) {
    line += fmt::format("  | held out: loss {:.4f}, - bits/byte", *record.val_loss);
  }
  return line;
}

MetricsLog::MetricsLog(const std::filesystem::path& run_dir, std::uint64_t keep_until)
    : records_{run_dir / "log.jsonl", keep_until},
      alerts_{run_dir / "alerts.jsonl", keep_until},
      probes_{run_dir / "monitor.jsonl", keep_until},
      text_{run_dir / kTextLog} {}

void MetricsLog::record(const Record& record, std::uint64_t last_step, double left_s) {
  if (!records_.is_open()) return;
  records_.write(to_json(record));
  say(to_line(record, last_step, left_s));
}

void MetricsLog::alert(const monitor::Alert& alert) {
  alerts_.write(monitor::to_json(alert));
  say(monitor::to_line(alert));
}

void MetricsLog::probe(std::string_view json) {
  probes_.write(json);
  write_messages();
}

void MetricsLog::say(std::string_view line) {
  if (!text_.is_open()) return;
  write_text(line);
  write_messages();
}

void MetricsLog::write_text(std::string_view line) {
  text_.write_line(line);
  console_.say(line);
}

/// Reports files that cannot be written, where it can be read: on the console, and in train.log
/// unless that is the file that fails.
void MetricsLog::write_messages() {
  for (StepLines* lines : {&records_, &alerts_, &probes_}) {
    if (const auto message = lines->take_message()) write_text(*message);
  }
  if (const auto message = text_.take_message()) write_text(*message);
  if (const auto message = console_.take_message()) text_.write_line(*message);
}

}  // namespace ballast::train
