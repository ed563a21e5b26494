#include "monitor/alerts/alert.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/json_number.hpp"

namespace ballast::monitor {

namespace {

using Json = nlohmann::ordered_json;

}  // namespace

std::string_view name_of(Severity severity) {
  switch (severity) {
    case Severity::info:
      return "info";
    case Severity::warning:
      return "warning";
    case Severity::critical:
      return "critical";
  }
  return "?";
}

std::string_view name_of(AlertKind kind) {
  switch (kind) {
    case AlertKind::risk:
      return "risk";
    case AlertKind::attention_logits:
      return "attention_logits";
    case AlertKind::learning_rate:
      return "learning_rate";
    case AlertKind::gradient_norm:
      return "gradient_norm";
    case AlertKind::loss:
      return "loss";
    case AlertKind::nonfinite:
      return "nonfinite";
  }
  return "?";
}

std::string to_json(const Alert& alert) {
  Json object;
  object["step"] = alert.step;
  object["kind"] = name_of(alert.kind);
  object["severity"] = name_of(alert.severity);
  object["layer"] = alert.layer ? Json(*alert.layer) : Json(nullptr);
  object["score"] = json_number(alert.score);
  object["threshold"] = json_number(alert.threshold);
  object["message"] = alert.message;
  object["action"] = alert.action;
  return object.dump();
}

std::string to_line(const Alert& alert) {
  return fmt::format("{} at step {}: {}{}", name_of(alert.severity), alert.step, alert.message,
                     alert.action.empty() ? "" : fmt::format(" [{}]", alert.action));
}

}  // namespace ballast::monitor
