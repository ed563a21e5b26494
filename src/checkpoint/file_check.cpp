#include "checkpoint/file_check.hpp"

#include <system_error>
#include <utility>

#include "base/error.hpp"
#include "checkpoint/damage.hpp"
#include "checkpoint/shard_file.hpp"

namespace ballast::checkpoint {

namespace {

constexpr const char* kAdvice =
    "use another checkpoint (`ballast inspect --verify RUN` says which are whole)";

std::uint64_t size_of(const std::filesystem::path& path) {
  std::error_code error;
  const std::uint64_t bytes = std::filesystem::file_size(path, error);
  if (error == std::errc::no_such_file_or_directory) {
    throw data_error("checkpoint file '{}' is missing: restore it, or {}", path.string(), kAdvice);
  }
  if (error) throw data_error("cannot read '{}': {}", path.string(), error.message());
  return bytes;
}

}  // namespace

FileCheck::FileCheck(std::filesystem::path path, const FileEntry& entry, const Manifest& manifest)
    : path_{std::move(path)}, entry_{entry}, manifest_{&manifest} {
  refuse_link(path_);
  const std::uint64_t bytes = size_of(path_);
  if (bytes != entry_.bytes) {
    throw data_error("checkpoint file '{}' has {} bytes, its manifest says {}: it is damaged; {}",
                     path_.string(), bytes, entry_.bytes, kAdvice);
  }
  hasher_.open(path_);
}

void FileCheck::advance() {
  if (is_done()) return;
  hasher_.advance(kStepBytes);
  if (!is_done() || hasher_.digest() == entry_.hash) return;
  throw data_error("checkpoint file '{}' was altered {}; {}", path_.string(),
                   place_of_damage(path_, *manifest_), kAdvice);
}

}  // namespace ballast::checkpoint
