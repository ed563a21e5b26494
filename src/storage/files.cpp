#include "storage/files.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/text.hpp"

namespace ballast::storage {

namespace {

constexpr std::string_view kUnfinished = ".tmp-";
constexpr std::size_t kPiece = std::size_t{1} << 20;
/// Of a long file name, so that a suffix finds room.
constexpr std::size_t kKeptOfName = 200;

std::string reason(int error) { return std::generic_category().message(error); }

/// Closes on every way out; the checked close is `close`.
class Descriptor {
 public:
  explicit Descriptor(int value) : value_{value} {}
  ~Descriptor() { (void)close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  [[nodiscard]] int get() const { return value_; }
  [[nodiscard]] bool close() {
    const int value = std::exchange(value_, -1);
    return value < 0 || ::close(value) == 0;
  }

 private:
  int value_;
};

/// Standard input may be a socket, which cannot be opened by its name. A pipe whose other end
/// nobody holds would keep open() waiting, before anyone can tell that it is one.
int open_for_reading(const std::filesystem::path& path, Inputs inputs) {
  const int waiting = inputs == Inputs::any ? 0 : O_NONBLOCK;
  return path == "/dev/stdin" && inputs == Inputs::any
             ? ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
             : ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | waiting);
}

std::string_view kind_of(mode_t mode) {
  if (S_ISFIFO(mode)) return "a pipe";
  if (S_ISSOCK(mode)) return "a socket";
  return "a device";
}

void write_all(const Descriptor& file, const std::filesystem::path& path, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(file.get(), text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      throw data_error("cannot write '{}' ({} bytes left): {}", path.string(), text.size(),
                       reason(errno));
    }
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

void write_and_sync(const std::filesystem::path& path, std::string_view text) {
  Descriptor file{::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)};
  if (file.get() < 0) throw data_error("cannot write '{}': {}", path.string(), reason(errno));
  write_all(file, path, text);
  if (::fsync(file.get()) != 0 || !file.close()) {
    throw data_error("cannot write '{}' ({} bytes): {}", path.string(), text.size(), reason(errno));
  }
}

void sync(const std::filesystem::path& path, int flags) {
  const Descriptor file{::open(path.c_str(), flags | O_CLOEXEC)};
  if (file.get() < 0) throw data_error("cannot open '{}': {}", path.string(), reason(errno));
  // Some network file systems have no such call for folders, or at all.
  if (::fsync(file.get()) != 0 && errno != EINVAL && errno != ENOTSUP) {
    throw data_error("the disk did not store '{}': {}", path.string(), reason(errno));
  }
}

/// Of the name under which `path` is written: the number of the writing process follows.
std::string unfinished_prefix(const std::filesystem::path& path) {
  return path.filename().native().substr(0, kKeptOfName) + std::string{kUnfinished};
}

}  // namespace

InputFile::InputFile(std::filesystem::path path, Inputs inputs)
    : path_{std::move(path)}, descriptor_{open_for_reading(path_, inputs)} {
  if (descriptor_ < 0) throw data_error("cannot read '{}': {}", path_.string(), reason(errno));
  struct stat found {};
  const int failed = ::fstat(descriptor_, &found);
  if (failed == 0 && S_ISREG(found.st_mode)) {
    size_ = static_cast<std::uint64_t>(found.st_size);
  } else if (inputs == Inputs::regular_files) {
    const int error = failed == 0 ? EISDIR : errno;
    ::close(descriptor_);
    if (failed != 0 || S_ISDIR(found.st_mode)) {
      throw data_error("cannot read '{}': {}", path_.string(), reason(error));
    }
    throw data_error("cannot read '{}': it is {}, not a file", path_.string(),
                     kind_of(found.st_mode));
  }
}

InputFile::~InputFile() { ::close(descriptor_); }

std::size_t InputFile::read(std::span<char> out) {
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t got = ::read(descriptor_, out.data() + done, out.size() - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw data_error("cannot read '{}': {}", path_.string(), reason(errno));
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

OutputFile::OutputFile(std::filesystem::path path)
    : path_{std::move(path)},
      descriptor_{::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)} {
  if (descriptor_ < 0) throw failure(errno);
}

OutputFile::~OutputFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Error OutputFile::failure(int error) const {
  return data_error("cannot write '{}' after {}: {}", path_.string(), human_bytes(written_),
                    reason(error));
}

void OutputFile::write(std::span<const char> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw failure(errno);
    written_ += static_cast<std::uint64_t>(written);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void OutputFile::close() {
  if (::close(std::exchange(descriptor_, -1)) != 0) throw failure(errno);
}

std::string read_text(const std::filesystem::path& path, std::uint64_t most) {
  InputFile file{path};
  const auto refuse_beyond = [&](std::uint64_t size) {
    if (size <= most) return;
    throw data_error("'{}' is larger than the {} that such a file may have", path.string(),
                     human_bytes(most));
  };
  refuse_beyond(file.size());
  std::string text(file.size(), '\0');
  text.resize(file.read(text));
  // A file may have grown, and those of the system do not tell their size.
  std::vector<char> piece(kPiece);
  for (std::size_t got = piece.size(); got == piece.size();) {
    got = file.read(piece);
    refuse_beyond(text.size() + got);
    text.append(piece.data(), got);
  }
  return text;
}

void for_each_line(const std::filesystem::path& path,
                   const std::function<void(std::string_view line, LineEnd end)>& visit) {
  InputFile file{path};
  std::vector<char> piece(kPiece);
  std::string begun;  // a line whose end is in a later piece
  std::size_t number = 1;
  for (std::size_t got = piece.size(); got == piece.size();) {
    got = file.read(piece);
    std::string_view text{piece.data(), got};
    for (auto end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
      begun += text.substr(0, end);
      visit(begun, LineEnd::newline);
      begun.clear();
      ++number;
      text.remove_prefix(end + 1);
    }
    begun += text;
    if (begun.size() > kLargestText) {
      throw data_error("'{}' line {}: longer than {}", path.string(), number,
                       human_bytes(kLargestText));
    }
  }
  if (!begun.empty()) visit(begun, LineEnd::file);
}

void write_text_atomically(const std::filesystem::path& path, std::string_view text) {
  std::filesystem::path temporary = path;
  temporary.replace_filename(unfinished_prefix(path) + std::to_string(::getpid()));
  try {
    write_and_sync(temporary, text);
    if (::rename(temporary.c_str(), path.c_str()) != 0) {
      throw data_error("cannot write '{}': {}", path.string(), reason(errno));
    }
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
  sync_folder(path.has_parent_path() ? path.parent_path() : ".");
}

void remove_unfinished_writes(const std::filesystem::path& path) {
  const std::string prefix = unfinished_prefix(path);
  std::error_code ignored;  // what stays is tried again next time
  std::filesystem::directory_iterator entry{path.parent_path(), ignored};
  while (!ignored && entry != std::filesystem::directory_iterator{}) {
    const std::filesystem::path found = entry->path();
    entry.increment(ignored);
    const std::string name = found.filename().native();
    const bool is_one = name.starts_with(prefix) && name.size() > prefix.size() &&
                        name.find_first_not_of("0123456789", prefix.size()) == std::string::npos;
    if (is_one) ::unlink(found.c_str());
  }
}

void sync_file(const std::filesystem::path& path) { sync(path, O_RDONLY); }

void sync_folder(const std::filesystem::path& path) { sync(path, O_RDONLY | O_DIRECTORY); }

void FileHasher::open(const std::filesystem::path& path) { file_.emplace(path); }

void FileHasher::advance(std::uint64_t most) {
  std::vector<char> piece(kPiece);
  for (std::uint64_t done = 0; file_ && done < most; done += piece.size()) {
    const std::size_t got = file_->read(piece);
    hasher_.update(std::as_bytes(std::span{piece}.first(got)));
    bytes_ += got;
    if (got < piece.size()) file_.reset();
  }
}

Hash128 hash_file(const std::filesystem::path& path) {
  FileHasher hasher;
  hasher.open(path);
  while (!hasher.is_done()) hasher.advance(kPiece);
  return hasher.digest();
}

std::uint64_t free_space(const std::filesystem::path& folder) {
  struct statvfs space {};
  if (::statvfs(folder.c_str(), &space) != 0) {
    throw data_error("cannot tell the free space of '{}': {}", folder.string(), reason(errno));
  }
  return std::uint64_t{space.f_bavail} * space.f_frsize;
}

void require_free_space(const std::filesystem::path& folder, std::uint64_t bytes) {
  const std::uint64_t free = free_space(folder);
  if (free < bytes) {
    throw data_error("'{}' has {} free, {} are needed: make room or choose another folder",
                     folder.string(), human_bytes(free), human_bytes(bytes));
  }
}

}  // namespace ballast::storage
