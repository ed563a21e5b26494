#include "checkpoint/folders.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <vector>

#include "base/error.hpp"
#include "checkpoint/manifest.hpp"
#include "storage/files.hpp"

namespace ballast::checkpoint {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kUnfinished = ".tmp";
/// An older checkpoint of the same step, set aside for the moment between two renames.
constexpr std::string_view kReplaced = ".old";
constexpr std::string_view kDamaged = ".damaged";

std::string step_name(std::uint64_t step) { return fmt::format("step-{}", step); }

/// The N of "step-N" + suffix.
std::optional<std::uint64_t> step_of(std::string_view name, std::string_view suffix) {
  constexpr std::string_view kPrefix = "step-";
  if (!name.starts_with(kPrefix) || !name.ends_with(suffix)) return std::nullopt;
  if (name.size() <= kPrefix.size() + suffix.size()) return std::nullopt;
  name = name.substr(kPrefix.size(), name.size() - kPrefix.size() - suffix.size());
  std::uint64_t step = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), step);
  if (error != std::errc{} || end != name.data() + name.size()) return std::nullopt;
  return step;
}

bool is_whole(const fs::path& folder) {
  std::error_code error;
  return fs::is_regular_file(folder / kManifestName, error);
}

/// The entries of a folder; none if it does not exist.
std::vector<fs::path> entries(const fs::path& folder) {
  std::error_code error;
  fs::directory_iterator iterator{folder, error};
  std::vector<fs::path> paths;
  while (!error && iterator != fs::directory_iterator{}) {
    paths.push_back(iterator->path());
    iterator.increment(error);
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    throw data_error("cannot read folder '{}': {}", folder.string(), error.message());
  }
  return paths;
}

void remove_tree(const fs::path& path) {
  std::error_code error;
  fs::remove_all(path, error);
  if (error) throw data_error("cannot delete '{}': {}", path.string(), error.message());
}

void rename_path(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::rename(from, to, error);
  if (error) {
    throw data_error("cannot rename '{}' to '{}': {}", from.string(), to.string(), error.message());
  }
}

fs::path replaced_folder(const fs::path& run_dir, std::uint64_t step) {
  return checkpoints_folder(run_dir) / (step_name(step) += kReplaced);
}

/// `whole` takes the place of `target`. If the process dies between the two renames, the older one
/// is still found under its other name.
void replace(const fs::path& run_dir, std::uint64_t step, const fs::path& whole,
             const fs::path& target) {
  const fs::path replaced = replaced_folder(run_dir, step);
  remove_tree(replaced);
  rename_path(target, replaced);
  rename_path(whole, target);
  storage::sync_folder(checkpoints_folder(run_dir));
  remove_tree(replaced);
}

/// Deletes a checkpoint. It is renamed first: so it is gone at once, though its files are deleted
/// one by one.
void discard(const fs::path& run_dir, std::uint64_t step, const fs::path& folder) {
  const fs::path unfinished = unfinished_folder(run_dir, step);
  remove_tree(unfinished);
  rename_path(folder, unfinished);
  remove_tree(unfinished);
}

/// Whether all files that the manifest lists have their full size. More cannot be known without
/// reading them.
bool has_full_size(const fs::path& folder) {
  try {
    const Manifest manifest = Manifest::read(folder);
    return std::ranges::all_of(manifest.files, [&](const FileEntry& file) {
      std::error_code error;
      return fs::file_size(folder / file.name, error) == file.bytes && !error;
    });
  } catch (const Error&) {
    return false;
  }
}

/// The folders that have a checkpoint's name, by step. They may lack files, even the manifest,
/// after a repair of the disk or a deletion by hand.
std::map<std::uint64_t, fs::path> named_checkpoints(const fs::path& run_dir) {
  std::map<std::uint64_t, fs::path> found;
  std::map<std::uint64_t, fs::path> replaced;
  for (const auto& folder : entries(checkpoints_folder(run_dir))) {
    const std::string name = folder.filename().string();
    if (!fs::is_directory(fs::status(folder))) continue;
    if (const auto step = step_of(name, "")) found[*step] = folder;
    if (const auto step = step_of(name, kReplaced)) replaced[*step] = folder;
  }
  for (const auto& [step, folder] : replaced) {
    const auto it = found.find(step);
    if (is_whole(folder) && (it == found.end() || !is_whole(it->second))) found[step] = folder;
  }
  return found;
}

/// The step that the file `latest` names, if there is one.
std::optional<std::uint64_t> latest_step(const fs::path& run_dir) {
  std::error_code error;
  constexpr std::uintmax_t kLongest = 4096;
  if (!fs::is_regular_file(run_dir / "latest", error)) return std::nullopt;
  if (fs::file_size(run_dir / "latest", error) > kLongest) return std::nullopt;
  const std::string text = storage::read_text(run_dir / "latest");
  return step_of(fs::path{text.substr(0, text.find('\n'))}.filename().string(), "");
}

}  // namespace

fs::path checkpoints_folder(const fs::path& run_dir) { return run_dir / "checkpoints"; }

fs::path step_folder(const fs::path& run_dir, std::uint64_t step) {
  return checkpoints_folder(run_dir) / step_name(step);
}

fs::path unfinished_folder(const fs::path& run_dir, std::uint64_t step) {
  return checkpoints_folder(run_dir) / (step_name(step) += kUnfinished);
}

std::map<std::uint64_t, fs::path> finished_checkpoints(const fs::path& run_dir) {
  auto found = named_checkpoints(run_dir);
  std::erase_if(found, [](const auto& entry) { return !is_whole(entry.second); });
  return found;
}

void start_folder(const fs::path& run_dir, std::uint64_t step) {
  const fs::path folder = unfinished_folder(run_dir, step);
  remove_tree(folder);
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw data_error("cannot create folder '{}': {}", folder.string(), error.message());
  storage::sync_folder(run_dir);
}

void publish_folder(const fs::path& run_dir, std::uint64_t step) {
  const fs::path whole = unfinished_folder(run_dir, step);
  const fs::path target = step_folder(run_dir, step);
  point_latest_at(run_dir, step);
  if (fs::exists(fs::symlink_status(target))) {
    replace(run_dir, step, whole, target);
  } else {
    rename_path(whole, target);
    storage::sync_folder(checkpoints_folder(run_dir));
  }
}

void point_latest_at(const fs::path& run_dir, std::uint64_t step) {
  storage::write_text_atomically(run_dir / "latest", "checkpoints/" + step_name(step) + "\n");
}

fs::path set_aside(const fs::path& folder) {
  fs::path aside = folder;
  aside += kDamaged;
  for (int number = 2; fs::exists(fs::symlink_status(aside)); ++number) {
    aside = folder;
    aside += fmt::format("{}-{}", kDamaged, number);
  }
  rename_path(folder, aside);
  storage::sync_folder(folder.parent_path());
  return aside;
}

void prune_folders(const fs::path& run_dir, std::uint64_t newest, const Retention& retention) {
  auto folders = finished_checkpoints(run_dir);
  std::erase_if(folders, [&](const auto& entry) {
    const auto& [step, folder] = entry;
    const bool stays = retention.keep_every != 0 && step % retention.keep_every == 0;
    return (stays && step <= newest) || !has_full_size(folder);
  });
  while (folders.size() > std::max<std::size_t>(retention.keep, 1)) {
    auto victim = std::prev(folders.end());
    if (victim->first <= newest) victim = folders.begin();
    if (victim->first == newest) break;
    discard(run_dir, victim->first, victim->second);
    folders.erase(victim);
  }
}

std::vector<fs::path> newest_first(const fs::path& run_dir) {
  const auto folders = named_checkpoints(run_dir);
  const auto latest = latest_step(run_dir);
  const auto beyond = latest ? folders.upper_bound(*latest) : folders.end();
  std::vector<fs::path> paths;
  for (auto it = beyond; it != folders.begin();) paths.push_back((--it)->second);
  for (auto it = folders.end(); it != beyond;) paths.push_back((--it)->second);
  return paths;
}

fs::path find_checkpoint(const fs::path& path) {
  if (is_whole(path)) return path;
  std::error_code error;
  if (!fs::exists(path, error)) throw data_error("'{}' does not exist", path.string());
  // A run that is saving points `latest` at its checkpoint before that has its final name, and a
  // listing may miss both the new folder and the old one. So it looks several times.
  constexpr int kLooks = 20;
  for (int look = 0; look < kLooks; ++look) {
    const auto folders = newest_first(path);
    const auto newest = std::ranges::find_if(folders, is_whole);
    if (newest != folders.end()) return *newest;
    if (!fs::exists(path / "latest", error)) break;
    std::this_thread::sleep_for(std::chrono::milliseconds{50});
  }
  throw data_error(
      "'{}' holds no checkpoint: name a folder with a {}, or a run directory that has one",
      path.string(), kManifestName);
}

bool has_checkpoints(const fs::path& run_dir) { return !named_checkpoints(run_dir).empty(); }

void remove_unfinished(const fs::path& run_dir) {
  for (const auto& path : entries(checkpoints_folder(run_dir))) {
    const std::string name = path.filename().string();
    if (step_of(name, kUnfinished)) remove_tree(path);
    const auto step = step_of(name, kReplaced);
    if (!step) continue;
    const fs::path target = step_folder(run_dir, *step);
    if (is_whole(target)) {
      remove_tree(path);
    } else {
      remove_tree(target);
      rename_path(path, target);
    }
  }
  storage::remove_unfinished_writes(run_dir / "latest");
}

}  // namespace ballast::checkpoint
