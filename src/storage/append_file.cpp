#include "storage/append_file.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "base/error.hpp"

namespace ballast::storage {

namespace {

std::string reason(int error) { return std::generic_category().message(error); }

int open_for_appending(const std::filesystem::path& path) {
  return ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
}

}  // namespace

AppendFile::AppendFile(std::filesystem::path path)
    : path_{std::move(path)}, descriptor_{open_for_appending(path_)} {
  if (descriptor_ < 0) throw data_error("cannot write '{}': {}", path_.string(), reason(errno));
}

AppendFile::~AppendFile() { close(); }

AppendFile::AppendFile(AppendFile&& other) noexcept { *this = std::move(other); }

AppendFile& AppendFile::operator=(AppendFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(descriptor_, other.descriptor_);
  std::swap(kept_, other.kept_);
  std::swap(lost_, other.lost_);
  std::swap(has_begun_line_, other.has_begun_line_);
  std::swap(error_, other.error_);
  std::swap(told_, other.told_);
  return *this;
}

void AppendFile::close() {
  if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
}

void AppendFile::write_line(std::string_view line) {
  if (!is_open()) return;
  kept_.append(line).push_back('\n');
  error_ = 0;
  if (!is_in_place()) reopen();
  flush();
  if (kept_.size() > kMostKept) give_up_oldest();
}

/// Whether the open file is still the one of that name: a folder may be moved or deleted under a
/// running job, which would then write where nobody reads.
bool AppendFile::is_in_place() const {
  struct stat named {};
  struct stat open {};
  return descriptor_ >= 0 && ::stat(path_.c_str(), &named) == 0 &&
         ::fstat(descriptor_, &open) == 0 && named.st_dev == open.st_dev &&
         named.st_ino == open.st_ino;
}

void AppendFile::reopen() {
  const int descriptor = open_for_appending(path_);
  if (descriptor < 0) return fail(errno);
  close();
  descriptor_ = descriptor;
  if (std::exchange(has_begun_line_, false)) kept_.erase(0, kept_.find('\n') + 1);
}

void AppendFile::flush() {
  if (error_ != 0) return;
  while (!kept_.empty()) {
    const ssize_t written = ::write(descriptor_, kept_.data(), kept_.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return fail(written < 0 ? errno : ENOSPC);
    has_begun_line_ = kept_[static_cast<std::size_t>(written) - 1] != '\n';
    kept_.erase(0, static_cast<std::size_t>(written));
  }
}

void AppendFile::fail(int error) { error_ = error; }

/// Whole lines, but not the one that the file holds a part of.
void AppendFile::give_up_oldest() {
  const std::size_t first = has_begun_line_ ? kept_.find('\n') + 1 : 0;
  std::size_t end = first;
  while (kept_.size() - (end - first) > kMostKept / 2) {
    end = kept_.find('\n', end) + 1;
    ++lost_;
  }
  kept_.erase(first, end - first);
}

std::optional<std::string> AppendFile::take_message() {
  if (error_ != 0 && told_ == 0) {
    told_ = error_;
    return fmt::format(
        "warning: '{}' cannot be written: {}; its lines are kept and tried again, the run goes on",
        path_.string(), reason(error_));
  }
  if (error_ == 0 && told_ != 0) {
    told_ = 0;
    const std::size_t lost = std::exchange(lost_, 0);
    return fmt::format(
        "'{}' is written again{}", path_.string(),
        lost == 0 ? ", nothing of it is lost" : fmt::format("; {} of its lines are lost", lost));
  }
  return std::nullopt;
}

}  // namespace ballast::storage
