#include "train/log/step_lines.hpp"

#include <string>

#include "base/json.hpp"
#include "storage/files.hpp"

namespace ballast::train {

namespace {

std::uint64_t step_of(std::string_view line) {
  const auto object = try_parse_json(line);
  if (!object || !object->is_object()) return 0;
  const auto step = object->find("step");
  return step != object->end() && step->is_number_unsigned() ? step->get<std::uint64_t>() : 0;
}

void cut_after(const std::filesystem::path& file, std::uint64_t step) {
  if (!std::filesystem::exists(file)) return;
  std::string kept;
  storage::for_each_line(file, [&](std::string_view line, storage::LineEnd) {
    const std::uint64_t at = step_of(line);
    if (at >= 1 && at <= step) kept.append(line) += '\n';
  });
  storage::write_text_atomically(file, kept);
}

}  // namespace

StepLines::StepLines(const std::filesystem::path& file, std::uint64_t keep_until) {
  if (keep_until == 0) {
    std::filesystem::remove(file);
  } else {
    cut_after(file, keep_until);
  }
  lines_ = storage::AppendFile{file};
}

}  // namespace ballast::train
