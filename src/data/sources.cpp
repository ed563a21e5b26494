#include "data/sources.hpp"

#include <algorithm>
#include <cerrno>
#include <glob.h>
#include <memory>
#include <set>
#include <sys/stat.h>
#include <system_error>
#include <utility>

#include "base/error.hpp"
#include "storage/files.hpp"
#include "storage/work_folder.hpp"

namespace ballast::data {

namespace fs = std::filesystem;

namespace {

constexpr const char* kStandardInput = "-";

bool hidden(const fs::path& path) { return path.filename().string().starts_with('.'); }

Error unreadable(std::string_view what, const fs::path& path, const std::error_code& why) {
  return data_error("cannot read {} '{}': {}", what, path.string(), why.message());
}

/// Goes through inputs, and remembers which files and folders it has seen. Links in folders come
/// last, so that a file is known by its own name where it has one among the inputs.
class Walk {
 public:
  void add(const std::string& input);
  [[nodiscard]] FoundSources finish();

 private:
  void add_named(const fs::path& path);
  void add_glob(const std::string& pattern);
  void add_folder(const fs::path& folder);
  void add_entry(const fs::directory_entry& entry);
  void follow(const fs::path& link);
  void add_file(const fs::path& path, Origin origin);
  /// False for what has been seen, by device and inode; true, too, for what cannot be looked at,
  /// since reading it will tell.
  [[nodiscard]] bool is_new(const fs::path& path);

  FoundSources found_;
  std::set<std::pair<dev_t, ino_t>> seen_;
  std::vector<fs::path> links_;
};

bool Walk::is_new(const fs::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return true;
  return seen_.emplace(status.st_dev, status.st_ino).second;
}

void Walk::add_file(const fs::path& path, Origin origin) {
  const std::string name = path == "/dev/stdin" ? kStandardInput : path.string();
  if (!is_new(path)) return found_.left_out.add(LeftOut::repeated, name);
  found_.sources.push_back({path, name, origin});
}

void Walk::add_entry(const fs::directory_entry& entry) {
  // An output on its way, into this very folder.
  if (storage::WorkFolder::is_one(entry.path())) return;
  if (hidden(entry.path())) return found_.left_out.add(LeftOut::hidden, entry.path().string());
  if (entry.is_symlink()) {
    links_.push_back(entry.path());
  } else if (entry.is_directory()) {
    add_folder(entry.path());
  } else if (entry.is_regular_file()) {
    add_file(entry.path(), Origin::folder);
  } else {
    found_.left_out.add(LeftOut::special, entry.path().string());
  }
}

void Walk::add_folder(const fs::path& folder) {
  if (!is_new(folder)) return found_.left_out.add(LeftOut::repeated, folder.string());
  std::vector<fs::directory_entry> entries;
  try {
    entries.assign(fs::directory_iterator{folder}, fs::directory_iterator{});
    std::ranges::sort(entries);
    for (const auto& entry : entries) add_entry(entry);
  } catch (const fs::filesystem_error& error) {
    throw unreadable("folder", folder, error.code());
  }
}

void Walk::follow(const fs::path& link) {
  std::error_code error;
  const fs::file_status status = fs::status(link, error);
  if (fs::is_directory(status)) {
    add_folder(link);
  } else if (fs::is_regular_file(status)) {
    add_file(link, Origin::folder);
  } else if (fs::exists(status)) {
    found_.left_out.add(LeftOut::special, link.string());
  } else if (status.type() == fs::file_type::not_found || error.value() == ELOOP) {
    found_.left_out.add(LeftOut::broken_link, link.string());
  } else {
    throw unreadable("link", link, error);
  }
}

void Walk::add_named(const fs::path& path) {
  std::error_code ignored;  // reading it will tell
  if (!fs::is_directory(path, ignored)) return add_file(path, Origin::named);
  if (fs::is_empty(path, ignored)) throw data_error("folder '{}' holds no files", path.string());
  add_folder(path);
}

void Walk::add_glob(const std::string& pattern) {
  glob_t found{};
  const std::unique_ptr<glob_t, decltype(&::globfree)> owner{&found, &::globfree};
  if (::glob(pattern.c_str(), 0, nullptr, &found) != 0) {
    throw data_error("no input file matches '{}'", pattern);
  }
  for (std::size_t i = 0; i < found.gl_pathc; ++i) add_named(found.gl_pathv[i]);
}

void Walk::add(const std::string& input) {
  if (input == kStandardInput) return add_file("/dev/stdin", Origin::named);
  std::error_code error;
  const fs::file_status status = fs::status(input, error);
  if (fs::exists(status)) return add_named(input);
  if (status.type() != fs::file_type::not_found) throw unreadable("input", input, error);
  add_glob(input);
}

FoundSources Walk::finish() {
  while (!links_.empty()) {  // a linked folder may hold further links
    const auto links = std::exchange(links_, {});
    for (const fs::path& link : links) follow(link);
  }
  std::ranges::sort(found_.sources, {}, &Source::name);
  return std::move(found_);
}

}  // namespace

FoundSources find_sources(std::span<const std::string> inputs) {
  Walk walk;
  for (const std::string& input : inputs) walk.add(input);
  return walk.finish();
}

bool reads_once(const Source& source) {
  std::error_code ignored;  // reading it will tell
  return source.name == kStandardInput || fs::is_fifo(source.path, ignored) ||
         fs::is_character_file(source.path, ignored);
}

void spool(Source& source, const fs::path& copy) {
  storage::InputFile input{source.path, storage::Inputs::any};
  storage::OutputFile output{copy};
  constexpr std::size_t kPiece = std::size_t{64} << 10;
  std::vector<char> piece(kPiece);
  with_context(fmt::format("cannot store a copy of the input '{}'", source.name), [&] {
    for (std::size_t got = piece.size(); got == piece.size();) {
      got = input.read(piece);
      output.write({piece.data(), got});
    }
    output.close();
  });
  source.path = copy;
}

}  // namespace ballast::data
