#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "report/short_number.hpp"

namespace ballast::report {

/// Alerts that a page carries at most.
inline constexpr std::size_t kAlerts = 500;

/// The content of alerts.jsonl.
struct AlertList {
  std::vector<storage::Json> alerts;  ///< step, kind, severity, layer, message, action
  storage::Json threshold;            ///< of the newest alert about the risk; null if there is none
  std::size_t unreadable = 0;

  [[nodiscard]] static AlertList read(const std::filesystem::path& file);
  /// At most `limit` of them in their order: the gravest, and of equally grave ones the first.
  [[nodiscard]] storage::Json to_json(std::size_t limit = kAlerts) const;
  /// How many there are by severity.
  [[nodiscard]] storage::Json counts() const;
};

}  // namespace ballast::report
