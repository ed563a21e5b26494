#include "storage/range_file.hpp"

#include <cerrno>
#include <fcntl.h>
#include <string>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "base/error.hpp"
#include "storage/files.hpp"

namespace ballast::storage {

namespace {

namespace fs = std::filesystem;

std::string reason(int error) { return std::generic_category().message(error); }

Error cannot_write(const fs::path& path, std::uint64_t at, int error) {
  return data_error("cannot write '{}' at byte {}: {}; make room or choose another folder",
                    path.string(), at, reason(error));
}

}  // namespace

void create_range_file(const fs::path& path, std::string_view head, std::uint64_t bytes) {
  OutputFile output{path};
  output.write(head);
  output.close();
  if (::truncate(path.c_str(), static_cast<off_t>(bytes)) != 0) {
    throw cannot_write(path, head.size(), errno);
  }
  sync_file(path);
}

RangeFile::RangeFile(fs::path path, std::uint64_t bytes) : path_{std::move(path)}, bytes_{bytes} {
  std::error_code error;
  const std::uint64_t found = fs::file_size(path_, error);
  if (error) throw cannot_write(path_, 0, error.value());
  if (found != bytes) {
    throw data_error("'{}' has {} bytes, not the {} that are planned: give all writers one plan",
                     path_.string(), found, bytes);
  }
  descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CLOEXEC);
  if (descriptor_ < 0) throw cannot_write(path_, 0, errno);
}

RangeFile::RangeFile(RangeFile&& other) noexcept
    : path_{std::move(other.path_)},
      bytes_{other.bytes_},
      descriptor_{std::exchange(other.descriptor_, -1)} {}

RangeFile::~RangeFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void RangeFile::write(std::uint64_t at, std::span<const std::uint8_t> bytes) {
  if (at > bytes_ || bytes.size() > bytes_ - at) {
    throw internal_error("'{}' has {} bytes; {} at {} are written", path_.string(), bytes_,
                         bytes.size(), at);
  }
  while (!bytes.empty()) {
    const ssize_t written =
        ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(at));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw cannot_write(path_, at, errno);
    at += static_cast<std::uint64_t>(written);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void RangeFile::finish() {
  const int descriptor = std::exchange(descriptor_, -1);
  if (descriptor < 0) return;
  const int failed = ::fsync(descriptor) != 0 ? errno : 0;
  const int unclosed = ::close(descriptor) != 0 ? errno : 0;
  if (failed == 0 && unclosed == 0) return;
  throw data_error("the disk did not take '{}': {}; choose another folder", path_.string(),
                   reason(failed != 0 ? failed : unclosed));
}

}  // namespace ballast::storage
