#include "storage/byte_source.hpp"

#include <cerrno>
#include <fcntl.h>
#include <string>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "base/error.hpp"

namespace ballast::storage {

namespace {

std::string reason(int error) { return std::generic_category().message(error); }

/// Refuses what is no file; `failed`: errno of the call that was to tell, or 0.
void require_file(const std::filesystem::path& path, std::string_view kind, int failed,
                  const struct stat& found) {
  const std::string name = path.string();
  if (failed == ENOENT) throw data_error("'{}' does not exist", name);
  if (failed != 0) throw data_error("cannot open '{}': {}", name, reason(failed));
  if (S_ISDIR(found.st_mode)) throw data_error("'{}' is a folder, not {}", name, kind);
  if (!S_ISREG(found.st_mode)) {
    throw data_error("'{}' is a pipe or a device, not {}", name, kind);
  }
  if (found.st_size == 0) throw data_error("'{}' is empty, not {}", name, kind);
}

/// Looks before it opens: opening a device may do something.
int open_file(const std::filesystem::path& path, std::string_view kind) {
  struct stat found {};
  require_file(path, kind, ::stat(path.c_str(), &found) == 0 ? 0 : errno, found);
  // A pipe that took the file's place would keep open() waiting.
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (descriptor < 0) require_file(path, kind, errno, found);
  return descriptor;
}

}  // namespace

ByteSource::ByteSource(std::filesystem::path path, std::string_view kind)
    : path_{std::move(path)}, descriptor_{open_file(path_, kind)} {
  struct stat found {};
  const int failed = ::fstat(descriptor_, &found) == 0 ? 0 : errno;
  try {
    require_file(path_, kind, failed, found);
  } catch (const Error&) {
    ::close(descriptor_);
    throw;
  }
  size_ = static_cast<std::uint64_t>(found.st_size);
}

ByteSource::~ByteSource() { ::close(descriptor_); }

void ByteSource::require_inside(std::uint64_t at, std::uint64_t bytes) const {
  if (contains(at, bytes)) return;
  throw data_error("{} bytes at {} are not in the file, which has {}", bytes, at, size_);
}

void ByteSource::read(std::uint64_t at, std::span<std::uint8_t> out) const {
  require_inside(at, out.size());
  for (std::size_t done = 0; done < out.size();) {
    const ssize_t got =
        ::pread(descriptor_, out.data() + done, out.size() - done, static_cast<off_t>(at + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      throw data_error("cannot read {} bytes at {}: {}", out.size() - done, at + done,
                       reason(errno));
    }
    if (got == 0) {
      throw data_error("the file ends at {}, though it had {} bytes when it was opened", at + done,
                       size_);
    }
    done += static_cast<std::size_t>(got);
  }
}

std::vector<std::uint8_t> ByteSource::read(std::uint64_t at, std::uint64_t bytes) const {
  require_inside(at, bytes);
  std::vector<std::uint8_t> out(bytes);
  read(at, out);
  return out;
}

}  // namespace ballast::storage
