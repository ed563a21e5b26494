#pragma once

#include <array>
#include <cstddef>
#include <filesystem>
#include <span>
#include <vector>

#include "base/hash.hpp"
#include "checkpoint/shard_file.hpp"
#include "fsdp/shard_layout.hpp"

namespace ballast::checkpoint {

/// Compares a writer's file with what was in memory: its rows with the layout, its granules with
/// granule_hashes. A full disk may accept writes without an error, so a file counts as written only
/// after this. Data Errors name the file and the tensor.
class ReadBack {
 public:
  /// Opens the file and compares its rows. `layout` and `hashes` must outlive the object.
  ReadBack(const std::filesystem::path& path, const fsdp::ShardLayout& layout,
           std::span<const Hash128> hashes);

  /// Compares the granules of one step; nothing beyond the last.
  void compare(std::size_t step);

 private:
  [[nodiscard]] bool is_equal(const OwnedPiece& piece);

  std::filesystem::path path_;
  ShardFile file_;
  const fsdp::ShardLayout* layout_;
  std::span<const Hash128> hashes_;
  std::array<std::vector<float>, kParts.size()> values_;  ///< room for a piece of each part
};

}  // namespace ballast::checkpoint
