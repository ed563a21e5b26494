#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "report/series.hpp"

namespace ballast::report {

/// What log.jsonl holds, by the names of its keys.
struct Curves {
  std::map<std::string, Series> series;
  storage::Json last;  ///< the newest record; null if there is none
  std::size_t unreadable = 0;

  [[nodiscard]] static Curves read(const std::filesystem::path& file);
  [[nodiscard]] storage::Json to_json() const;
};

}  // namespace ballast::report
