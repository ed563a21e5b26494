#include "train/log/run_directory.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <random>
#include <sys/file.h>
#include <thread>
#include <unistd.h>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/process.hpp"
#include "checkpoint/checkpoint.hpp"
#include "comm/agree.hpp"
#include "storage/files.hpp"

namespace ballast::train {

namespace {

constexpr const char* kLockFile = "lock";
constexpr const char* kNonceFile = "nonce";
/// Files that a job writes before its first step. If it is killed then, unfinished copies remain.
constexpr std::array kWholeFiles{kNonceFile,  "config.resolved.ini", "gemm_table.txt",
                                 "log.jsonl", "alerts.jsonl",        "monitor.jsonl"};
/// Network file systems may show a new file to other hosts only after a while.
constexpr double kNonceWait_s = 10.0;
/// A job that was killed may still be ending while the next one begins.
constexpr double kLockWait_s = 2.0;

std::string holder_of(const std::filesystem::path& lock) {
  std::string holder = storage::read_text(lock);
  while (!holder.empty() && holder.back() == '\n') holder.pop_back();
  return holder.empty() ? "another process" : holder;
}

/// The Error if another process holds the lock, or if the file system has no locks. Without a lock
/// two jobs could write into one folder, so both are refused.
Error lock_error(const std::filesystem::path& run_dir, const std::string& holder, int error) {
  if (error == EWOULDBLOCK) {
    return data_error(
        "run.dir {}: in use by {}; wait for it, or choose another folder (if that host is gone for "
        "good, delete the file '{}' there)",
        run_dir.string(), holder, kLockFile);
  }
  return data_error(
      "run.dir {}: this file system has no locks ({}); choose a folder on one that has (NFS: with "
      "its lock service running)",
      run_dir.string(), std::strerror(error));
}

/// Takes the lock, or returns why not: an errno, 0 for success.
int lock_or_error(int file) {
  const Stopwatch watch;
  while (::flock(file, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK || watch.elapsed_s() > kLockWait_s) return errno;
    std::this_thread::sleep_for(std::chrono::milliseconds{50});
  }
  return 0;
}

std::string new_nonce() {
  std::random_device entropy;
  return fmt::format("{:08x}{:08x}{:08x}{:08x}", entropy(), entropy(), entropy(), entropy());
}

bool sees(const std::filesystem::path& file, const std::string& text) {
  const Stopwatch watch;
  do {
    try {
      if (storage::read_text(file) == text) return true;
    } catch (const Error&) {
      // Not there yet; the deadline decides.
    }
    std::this_thread::sleep_for(std::chrono::milliseconds{100});
  } while (watch.elapsed_s() < kNonceWait_s);
  return false;
}

}  // namespace

RunDirectory::RunDirectory(comm::Communicator& world, const std::filesystem::path& path)
    : path_{path} {
  comm::agree(world, "run directory", [&] {
    if (world.is_root()) create_and_lock();
  });
  check_visibility(world);
}

RunDirectory::~RunDirectory() {
  if (lock_ >= 0) ::close(lock_);
}

void RunDirectory::create_and_lock() {
  std::error_code failure;
  std::filesystem::create_directories(path_, failure);
  if (failure) {
    throw data_error("run.dir {}: cannot create the folder: {}", path_.string(), failure.message());
  }
  const auto file = path_ / kLockFile;
  lock_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (lock_ < 0) {
    throw data_error("run.dir {}: cannot write there: {}", path_.string(), std::strerror(errno));
  }
  if (const int error = lock_or_error(lock_)) throw lock_error(path_, holder_of(file), error);
  const std::string holder = fmt::format("process {} on {}\n", ::getpid(), host_name());
  if (::ftruncate(lock_, 0) != 0 ||
      ::pwrite(lock_, holder.data(), holder.size(), 0) != static_cast<ssize_t>(holder.size())) {
    throw data_error("run.dir {}: cannot write there: {}", path_.string(), std::strerror(errno));
  }
  checkpoint::remove_unfinished(path_);
  for (const char* name : kWholeFiles) storage::remove_unfinished_writes(path_ / name);
}

void RunDirectory::check_visibility(comm::Communicator& world) const {
  const auto file = path_ / kNonceFile;
  const std::string nonce = world.broadcast_text(new_nonce(), 0, {"run directory"});
  comm::agree(world, "run directory", [&] {
    if (world.is_root()) storage::write_text_atomically(file, nonce);
  });
  comm::agree(world, "run directory", [&] {
    if (!sees(file, nonce)) {
      throw data_error(
          "run.dir {}: {} does not see what rank 0 ({}) wrote there; it must be on a file system "
          "that all hosts share",
          path_.string(), world.name(), world.host(0));
    }
  });
  if (world.is_root()) std::filesystem::remove(file);
}

}  // namespace ballast::train
