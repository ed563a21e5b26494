#include "train/run_directory.hpp"

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
/// Network file systems may show a new file to other hosts only after a while.
constexpr double kNonceWait_s = 10.0;

std::string holder_of(const std::filesystem::path& lock) {
  std::string holder = storage::read_text(lock);
  while (!holder.empty() && holder.back() == '\n') holder.pop_back();
  return holder.empty() ? "another process" : holder;
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
  if (::flock(lock_, LOCK_EX | LOCK_NB) != 0) {
    throw data_error("run.dir {}: in use by {}; wait for it, or choose another folder",
                     path_.string(), holder_of(file));
  }
  const std::string holder = fmt::format("process {} on {}\n", ::getpid(), host_name());
  if (::ftruncate(lock_, 0) != 0 ||
      ::pwrite(lock_, holder.data(), holder.size(), 0) != static_cast<ssize_t>(holder.size())) {
    throw data_error("run.dir {}: cannot write there: {}", path_.string(), std::strerror(errno));
  }
  checkpoint::remove_unfinished(path_);
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

std::optional<std::filesystem::path> checkpoint_to_resume(comm::Communicator& world,
                                                          const Config& config) {
  using Found = std::optional<std::filesystem::path>;
  const auto& resume = config.checkpoint.resume;
  return comm::agree_on<Found>(world, "checkpoint.resume", [&]() -> Found {
    const bool holds_any = checkpoint::has_checkpoints(config.run.dir);
    if (resume == "false" && holds_any) {
      throw usage_error(
          "run.dir {} holds checkpoints already; set checkpoint.resume = true to go on from the "
          "newest, or choose another folder",
          config.run.dir.string());
    }
    if (resume == "false" || (resume == "true" && !holds_any)) return std::nullopt;
    return checkpoint::find_checkpoint(resume == "true" ? config.run.dir
                                                        : std::filesystem::path{resume});
  });
}

}  // namespace ballast::train
