#include "comm/shared_region.hpp"

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <limits>
#include <random>
#include <signal.h>
#include <string>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>
#include <utility>

#include "base/checked_cast.hpp"
#include "base/text.hpp"
#include "comm/agree.hpp"

namespace ballast::comm {

namespace {

class FileDescriptor {
 public:
  explicit FileDescriptor(int number = -1) : number_{number} {}
  ~FileDescriptor() {
    if (number_ >= 0) ::close(number_);
  }
  FileDescriptor(FileDescriptor&& other) noexcept : number_{std::exchange(other.number_, -1)} {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  [[nodiscard]] int number() const { return number_; }
  [[nodiscard]] bool is_open() const { return number_ >= 0; }

 private:
  int number_;
};

/// Blocks the signal that a file beyond `ulimit -f` brings: it would end the process without a
/// word, where the error code that comes with it can be explained.
class NoFileSizeSignal {
 public:
  NoFileSizeSignal() {
    ::sigemptyset(&signal_);
    ::sigaddset(&signal_, SIGXFSZ);
    ::pthread_sigmask(SIG_BLOCK, &signal_, &before_);
  }
  ~NoFileSizeSignal() {
    const timespec at_once{};
    ::sigtimedwait(&signal_, nullptr, &at_once);
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  NoFileSizeSignal(const NoFileSizeSignal&) = delete;
  NoFileSizeSignal& operator=(const NoFileSizeSignal&) = delete;

 private:
  sigset_t signal_{};
  sigset_t before_{};
};

/// How many bytes were asked for on which host, for messages.
struct Request {
  const Communicator& node;
  std::size_t bytes;
};

Error cannot_share(const Request& request, std::string_view why, std::string_view remedy) {
  return usage_error(
      "cannot share {} of memory between the {} ranks of {}: {}; {}, or set parallel.backend = "
      "mpi, which needs no shared memory",
      human_bytes(request.bytes), request.node.size(), request.node.host(request.node.rank()), why,
      remedy);
}

/// The same for a system call that has just failed.
Error call_failed(const Request& request, std::string_view call, int code) {
  constexpr std::string_view kLess = "use a smaller model or run fewer ranks on a host";
  switch (code) {
    case EFBIG:
      return cannot_share(request, "more than the limit on file sizes",
                          "raise the limit (ulimit -f)");
    case EFAULT:  // from madvise: an access would have brought SIGBUS
    case ENOSPC:
    case ENOMEM:
      return cannot_share(request, "there is not that much memory", kLess);
    default:
      return cannot_share(request, fmt::format("{}: {}", call, std::strerror(code)), kLess);
  }
}

/// Memory as a file without a name, all zeros, `request.bytes` long.
FileDescriptor create_file(const Request& request) {
  const std::string name = fmt::format("ballast-{:08x}", std::random_device{}());
  FileDescriptor file{::memfd_create(name.c_str(), MFD_CLOEXEC)};
  if (!file.is_open()) throw call_failed(request, "memfd_create", errno);
  const NoFileSizeSignal guard;
  if (::ftruncate(file.number(), checked_cast<off_t>(request.bytes)) != 0) {
    throw call_failed(request, "ftruncate", errno);
  }
  return file;
}

/// What tells one such file from all others, as seen by a process that has it open.
std::string identity_of(const FileDescriptor& file) {
  std::string link(256, '\0');
  const std::string path = fmt::format("/proc/self/fd/{}", file.number());
  const ssize_t length = ::readlink(path.c_str(), link.data(), link.size());
  link.resize(length < 0 ? 0 : static_cast<std::size_t>(length));
  struct stat status {};
  ::fstat(file.number(), &status);
  return fmt::format("{} {}:{}", link, status.st_dev, status.st_ino);
}

/// The file that another rank has open under `path`. The process of that number may be another one
/// here: each container can have its own count of processes.
FileDescriptor open_file(const Request& request, const std::string& path,
                         const std::string& identity) {
  FileDescriptor file{::open(path.c_str(), O_RDWR | O_CLOEXEC)};
  const int code = errno;
  if (file.is_open() && identity_of(file) == identity) return file;
  const std::string why = file.is_open() ? "another process has that number" : std::strerror(code);
  throw cannot_share(
      request,
      fmt::format("the memory of {} cannot be opened ({}: {})", request.node.label(0), path, why),
      "run all ranks of a host as one user and in one container");
}

/// Gets the memory behind `bytes`, which lie at `offset` of the file, from near this rank. Returns
/// an errno code.
int populate(std::span<std::byte> bytes, int file, std::size_t offset) {
  if (bytes.empty()) return 0;
  // A hint, and before the first touch: most systems have no huge pages for shared memory.
  ::madvise(bytes.data(), bytes.size(), MADV_HUGEPAGE);
  if (::madvise(bytes.data(), bytes.size(), MADV_POPULATE_WRITE) == 0) return 0;
  if (errno != EINVAL) return errno;
  // Linux before 5.14. Touching pages that are not there for certain could end in SIGBUS.
  int code = 0;
  do {
    code = ::fallocate(file, 0, checked_cast<off_t>(offset), checked_cast<off_t>(bytes.size())) == 0
               ? 0
               : errno;
  } while (code == EINTR);
  return code;
}

std::size_t page_bytes() { return checked_cast<std::size_t>(::sysconf(_SC_PAGESIZE)); }

}  // namespace

void SharedRegion::Unmap::operator()(std::byte* memory) const noexcept { ::munmap(memory, bytes); }

SharedRegion::SharedRegion(Communicator& node, std::size_t own_bytes) : own_rank_{node.rank()} {
  lay_out(node, own_bytes);
  if (total_bytes_ == 0) return;
  const Request request{node, total_bytes_};
  FileDescriptor file;
  agree(node, "creation of shared memory", [&] {
    if (node.is_root()) file = create_file(request);
  });
  const std::string path = node.broadcast_text(
      fmt::format("/proc/{}/fd/{}", ::getpid(), file.number()), 0, {"path of shared memory"});
  const std::string identity =
      node.broadcast_text(identity_of(file), 0, {"identity of shared memory"});
  agree(node, "mapping of shared memory", [&] {
    if (!node.is_root()) file = open_file(request, path, identity);
    void* start =
        ::mmap(nullptr, total_bytes_, PROT_READ | PROT_WRITE, MAP_SHARED, file.number(), 0);
    if (start == MAP_FAILED) throw call_failed(request, "mmap", errno);
    memory_ = Mapping{static_cast<std::byte*>(start), Unmap{total_bytes_}};
    const auto& own_part = parts_[checked_cast<std::size_t>(own_rank_)];
    const int code = populate(own(), file.number(), own_part.offset);
    if (code != 0) throw call_failed(request, "madvise", code);
  });
  // All pages are there now. Entering them in this process's page table is faster at once than one
  // by one in the first steps, which do it where this hint is not known.
  ::madvise(memory_.get(), total_bytes_, MADV_POPULATE_READ);
}

void SharedRegion::lay_out(Communicator& node, std::size_t own_bytes) {
  const auto ranks = checked_cast<std::size_t>(node.size());
  std::vector<std::uint64_t> asked(ranks);
  std::vector<std::size_t> counts(ranks, sizeof(std::uint64_t));
  std::vector<std::size_t> offsets(ranks);
  for (std::size_t rank = 0; rank < ranks; ++rank) offsets[rank] = rank * sizeof(std::uint64_t);
  const std::uint64_t own = own_bytes;
  node.all_gather(std::as_bytes(std::span{&own, 1}), std::as_writable_bytes(std::span{asked}),
                  counts, offsets, {"all_gather", "sizes of shared memory"});
  const std::size_t page = page_bytes();
  const auto most = static_cast<std::size_t>(std::numeric_limits<off_t>::max()) / 2;
  for (std::size_t rank = 0; rank < ranks; ++rank) {
    if (asked[rank] > most - total_bytes_) {
      throw cannot_share({node, asked[rank]}, "no machine has that much", "ask for less");
    }
    parts_.push_back({total_bytes_, asked[rank]});
    total_bytes_ += (asked[rank] + page - 1) / page * page;
  }
}

std::span<std::byte> SharedRegion::part(int rank) const {
  const Part& part = parts_.at(checked_cast<std::size_t>(rank));
  return {memory_.get() + part.offset, part.bytes};
}

}  // namespace ballast::comm
