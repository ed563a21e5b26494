#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ballast::monitor {

enum class Severity { info, warning, critical };

[[nodiscard]] std::string_view name_of(Severity severity);

enum class AlertKind {
  risk,              ///< the calibrated probability of breaking
  attention_logits,  ///< so large that softmax saturates
  learning_rate,     ///< jumped
  gradient_norm,     ///< burst
  loss,              ///< burst
  nonfinite,         ///< an update was skipped
};

[[nodiscard]] std::string_view name_of(AlertKind kind);

/// One line of alerts.jsonl.
struct Alert {
  std::uint64_t step = 0;
  AlertKind kind = AlertKind::risk;
  Severity severity = Severity::warning;
  std::optional<std::size_t> layer;  ///< where it is of one block
  double score = 0.0;                ///< what was seen
  double threshold = 0.0;            ///< what it passed
  std::string message;               ///< evidence and advice, one sentence each
  std::string action;                ///< what was done about it
};

/// Keys: step, kind, severity, layer, score, threshold, message, action.
[[nodiscard]] std::string to_json(const Alert& alert);

/// A line for people: "warning at step 240: attention logits of block 3 …".
[[nodiscard]] std::string to_line(const Alert& alert);

}  // namespace ballast::monitor
