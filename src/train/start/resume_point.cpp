#include "train/start/resume_point.hpp"

#include <filesystem>
#include <sstream>
#include <utility>

#include "base/error.hpp"
#include "checkpoint/checkpoint.hpp"
#include "checkpoint/folders.hpp"
#include "comm/agree.hpp"

namespace ballast::train {

namespace {

namespace fs = std::filesystem;

/// Runs `find` on rank 0 alone, so that every rank resumes the same checkpoint, even if hosts see
/// the folder differently at this moment. If it throws, all ranks throw the same Error. Collective.
std::vector<fs::path> paths_of_root(comm::Communicator& world,
                                    const std::function<std::vector<fs::path>()>& find) {
  std::string lines;
  comm::agree(world, "checkpoint.resume", [&] {
    if (!world.is_root()) return;
    for (const auto& path : find()) lines += path.string() + '\n';
  });
  std::istringstream stream{world.broadcast_text(lines, 0, {"checkpoint.resume"})};
  std::vector<fs::path> paths;
  for (std::string line; std::getline(stream, line);) paths.emplace_back(line);
  return paths;
}

/// A checkpoint that cannot be loaded, and why.
struct Damaged {
  fs::path folder;
  std::string damage;
};

/// On rank 0: renames a damaged checkpoint. Returns a line for the log, also if that fails.
std::string set_aside(const Damaged& damaged) {
  try {
    const fs::path aside = checkpoint::set_aside(damaged.folder);
    return fmt::format("warning: {}; it was renamed to '{}'", damaged.damage, aside.string());
  } catch (const Error& error) {
    return fmt::format("warning: {}; {}", damaged.damage, error.what());
  }
}

ResumePoint newest_whole(comm::Communicator& world, const fs::path& run_dir) {
  const auto folders = paths_of_root(world, [&] { return checkpoint::newest_first(run_dir); });
  ResumePoint point;
  std::vector<Damaged> damaged;
  for (const auto& folder : folders) {
    auto result = checkpoint::try_check(world, folder);
    if (result.checked) {
      point.checkpoint = std::move(result.checked);
      break;
    }
    damaged.push_back({folder, std::move(result.damage)});
  }
  if (!folders.empty() && !point.checkpoint) {
    throw data_error(
        "none of the {} checkpoints of run.dir {} is whole; the newest: {}; to begin anew, choose "
        "another folder",
        folders.size(), run_dir.string(), damaged.front().damage);
  }
  if (!point.checkpoint || !world.is_root()) return point;
  for (const auto& one : damaged) point.messages.push_back(set_aside(one));
  return point;
}

}  // namespace

ResumePoint find_resume_point(comm::Communicator& world, const Config& config) {
  const auto& resume = config.checkpoint.resume;
  const auto& run_dir = config.run.dir;
  if (resume.from() == Resume::From::nothing) {
    (void)paths_of_root(world, [&]() -> std::vector<fs::path> {
      if (!checkpoint::has_checkpoints(run_dir)) return {};
      throw usage_error(
          "run.dir {} holds checkpoints already; set checkpoint.resume = true to go on from the "
          "newest, or choose another folder",
          run_dir.string());
    });
    return {};
  }
  if (resume.from() == Resume::From::newest) {
    ResumePoint point = newest_whole(world, run_dir);
    comm::agree(world, "latest checkpoint", [&] {
      if (!world.is_root() || !point.checkpoint) return;
      checkpoint::point_latest_at(run_dir, point.checkpoint->manifest.state.step);
    });
    return point;
  }
  const auto named = paths_of_root(world, [&]() -> std::vector<fs::path> {
    return {checkpoint::find_checkpoint(resume.path())};
  });
  return {checkpoint::check(world, named.front()), {}};
}

}  // namespace ballast::train
