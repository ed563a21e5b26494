#include "train/log/last_end.hpp"

#include <fmt/format.h>

#include "checkpoint/folders.hpp"
#include "storage/json_log.hpp"

namespace ballast::train {

namespace {

std::uint64_t last_logged_step(const std::filesystem::path& run_dir) {
  const auto log = run_dir / "log.jsonl";
  std::uint64_t last = 0;
  if (!std::filesystem::exists(log)) return last;
  storage::read_log(log, [&](std::uint64_t step, const storage::Json&) { last = step; });
  return last;
}

}  // namespace

std::optional<std::string> describe_unsaved_end(const std::filesystem::path& run_dir,
                                                std::uint64_t step) {
  const std::uint64_t last = last_logged_step(run_dir);
  const auto saved = checkpoint::finished_checkpoints(run_dir);
  const std::uint64_t newest = saved.empty() ? 0 : saved.rbegin()->first;
  if (last <= newest || last <= step) return {};
  return fmt::format(
      "the last run ended at step {} without saving; going on from step {}: {} step(s) are "
      "repeated",
      last, step, last - step);
}

}  // namespace ballast::train
