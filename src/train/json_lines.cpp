#include "train/json_lines.hpp"

#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "storage/files.hpp"

namespace ballast::train {

namespace {

std::uint64_t step_of(const std::string& line) {
  const auto object = nlohmann::ordered_json::parse(line, nullptr, false);
  return object.is_object() ? object.value("step", std::uint64_t{0}) : 0;
}

void cut_after(const std::filesystem::path& file, std::uint64_t step) {
  if (!std::filesystem::exists(file)) return;
  std::istringstream lines{storage::read_text(file)};
  std::string kept;
  for (std::string line; std::getline(lines, line);) {
    const std::uint64_t at = step_of(line);
    if (at >= 1 && at <= step) kept += line + '\n';
  }
  storage::write_text_atomically(file, kept);
}

}  // namespace

JsonLines::JsonLines(const std::filesystem::path& file, std::uint64_t keep_until) {
  if (keep_until == 0) {
    std::filesystem::remove(file);
  } else {
    cut_after(file, keep_until);
  }
  lines_ = storage::AppendFile{file};
}

}  // namespace ballast::train
