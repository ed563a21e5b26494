#include "train/settings/setting_changes.hpp"

#include <fmt/format.h>
#include <set>
#include <sstream>
#include <string_view>

#include "train/settings/keys.hpp"

namespace ballast::train {

namespace {

constexpr std::string_view kUnset = "(not set)";

/// The keys whose changes a resume does not report.
std::set<std::string> unreported_keys() {
  Config defaults;
  std::set<std::string> unreported;
  for (const Key& key : keys(defaults)) {
    if (key.role.on_resume() == OnResume::unreported) unreported.insert(key.option.name);
  }
  return unreported;
}

std::string value_of(const std::map<std::string, std::string>& settings, const std::string& key) {
  const auto found = settings.find(key);
  return found == settings.end() ? std::string{kUnset} : found->second;
}

}  // namespace

std::map<std::string, std::string> settings_of(const std::string& ini) {
  constexpr std::string_view kEquals = " = ";
  std::map<std::string, std::string> settings;
  std::istringstream lines{ini};
  std::string section;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('[') && line.ends_with(']')) section = line.substr(1, line.size() - 2);
    const auto equals = line.find(kEquals);
    if (equals == std::string::npos) continue;
    settings[section + "." + line.substr(0, equals)] = line.substr(equals + kEquals.size());
  }
  return settings;
}

std::vector<std::string> setting_changes(const std::string& before, const std::string& now) {
  if (before.empty()) return {};
  const auto old_settings = settings_of(before);
  const auto new_settings = settings_of(now);
  auto all = old_settings;
  all.insert(new_settings.begin(), new_settings.end());
  const auto unreported = unreported_keys();
  std::vector<std::string> changes;
  for (const auto& [key, ignored] : all) {
    if (unreported.contains(key)) continue;
    const std::string was = value_of(old_settings, key);
    const std::string is = value_of(new_settings, key);
    if (was != is) changes.push_back(fmt::format("{}: {} → {}", key, was, is));
  }
  return changes;
}

}  // namespace ballast::train
