#include "storage/work_folder.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <vector>

#include "base/error.hpp"
#include "storage/files.hpp"

namespace ballast::storage {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kPrefix = ".ballast-output-";
constexpr int kAttempts = 16;

fs::path folder_of(const fs::path& output) {
  return output.has_parent_path() ? output.parent_path() : ".";
}

bool same_place(int descriptor, const fs::path& path) {
  struct stat opened {};
  struct stat named {};
  return ::fstat(descriptor, &opened) == 0 && ::stat(path.c_str(), &named) == 0 &&
         opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

/// Opens the folder's lock and takes it. -1 and errno: EWOULDBLOCK where someone holds it, ENOENT
/// where the folder is gone, anything else where there are no locks.
int lock_of(const fs::path& folder) {
  const fs::path file = folder / "lock";
  const int lock = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (lock < 0) return -1;
  int why = ::flock(lock, LOCK_EX | LOCK_NB) == 0 ? 0 : errno;
  if (why == 0 && !same_place(lock, file)) why = ENOENT;
  if (why == 0) return lock;
  ::close(lock);
  errno = why;
  return -1;
}

bool could_be_abandoned(const fs::directory_entry& entry) {
  std::error_code ignored;
  return WorkFolder::is_one(entry.path()) && fs::is_directory(entry.symlink_status(ignored));
}

/// Removes what killed processes left in `folder`.
void tidy(const fs::path& folder) {
  std::error_code ignored;  // tidying is a courtesy
  std::vector<fs::path> abandoned;
  for (fs::directory_iterator entry{folder, ignored}, end; entry != end; entry.increment(ignored)) {
    if (could_be_abandoned(*entry)) abandoned.push_back(entry->path());
  }
  for (const fs::path& path : abandoned) {
    const int lock = lock_of(path);
    if (lock < 0) continue;
    fs::remove_all(path, ignored);
    ::close(lock);
  }
}

fs::path make_folder(const fs::path& parent) {
  std::string name = (parent / (std::string{kPrefix} + "XXXXXX")).string();
  if (::mkdtemp(name.data()) != nullptr) return name;
  throw data_error("cannot write in the output's folder '{}': {}", parent.string(),
                   std::generic_category().message(errno));
}

}  // namespace

WorkFolder::WorkFolder(const fs::path& output) : output_{output} {
  const fs::path folder = folder_of(output);
  tidy(folder);
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    path_ = make_folder(folder);
    lock_ = lock_of(path_);
    // Another process that tidies up may come between the two; without locks none does.
    if (lock_ >= 0 || (errno != EWOULDBLOCK && errno != ENOENT)) return;
  }
  throw data_error("cannot lock '{}': too many others start in its folder", path_.string());
}

bool WorkFolder::is_one(const fs::path& path) {
  return path.filename().native().starts_with(kPrefix);
}

WorkFolder::~WorkFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
  if (lock_ >= 0) ::close(lock_);
}

fs::path WorkFolder::folder(const std::string& name) const {
  fs::path made = file(name);
  std::error_code error;
  fs::create_directory(made, error);
  if (error) throw data_error("cannot create '{}': {}", made.string(), error.message());
  return made;
}

void WorkFolder::deliver(const fs::path& written) {
  sync_file(written);
  std::error_code error;
  fs::rename(written, output_, error);
  if (error) throw data_error("cannot write '{}': {}", output_.string(), error.message());
  sync_folder(folder_of(output_));
}

void WorkFolder::deliver_over(const fs::path& written) {
  sync_file(written);
  const int exchanged =
      ::renameat2(AT_FDCWD, written.c_str(), AT_FDCWD, output_.c_str(), RENAME_EXCHANGE);
  if (exchanged == 0) {
    sync_folder(folder_of(output_));
    return;  // the old one lies in this folder now, and goes with it
  }
  if (errno == EINVAL || errno == ENOSYS) {
    std::error_code error;
    fs::rename(output_, file("replaced"), error);
    if (error && error != std::errc::no_such_file_or_directory) {
      throw data_error("cannot replace '{}': {}", output_.string(), error.message());
    }
  } else if (errno != ENOENT) {
    throw data_error("cannot replace '{}': {}", output_.string(),
                     std::generic_category().message(errno));
  }
  deliver(written);
}

}  // namespace ballast::storage
