#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace ballast::report {

/// Keys of a configuration and their values.
using Settings = std::vector<std::pair<std::string, std::string>>;

/// One HTML page about a run, finished or not, that needs nothing but itself: drawn from log.jsonl,
/// and from alerts.jsonl, monitor.jsonl and the first lines of train.log where they are there. A
/// data Error if there is no log.jsonl.
[[nodiscard]] std::string make_page(const std::filesystem::path& run, const Settings& settings);

}  // namespace ballast::report
