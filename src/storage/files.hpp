#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/hash.hpp"

namespace ballast::storage {

/// The whole of a small text file; a data Error that names it otherwise.
[[nodiscard]] std::string read_text(const std::filesystem::path& path);

/// Replaces a file in one step: written beside it, synced, renamed, folder synced. A reader sees
/// the old or the new text, never a part.
void write_text_atomically(const std::filesystem::path& path, std::string_view text);

/// Flushes a file (or folder entry) to the disk; throws if the disk would not take it.
void sync_file(const std::filesystem::path& path);
void sync_folder(const std::filesystem::path& path);

/// XXH3-128 of a file's bytes, read in pieces.
[[nodiscard]] Hash128 hash_file(const std::filesystem::path& path);

/// Fails with a clear data Error when the file system that holds `folder` has less than `bytes`
/// free.
void require_free_space(const std::filesystem::path& folder, std::uint64_t bytes);

}  // namespace ballast::storage
