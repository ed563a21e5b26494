#pragma once

#include <filesystem>
#include <span>

#include "base/hash.hpp"
#include "fsdp/shard_layout.hpp"

namespace ballast::checkpoint {

/// Compares a writer's file with what was in memory: its rows with the layout, its granules with
/// granule_hashes. A full disk may take writes without a word, so nobody trusts a file before this.
/// A data Error names the file and the tensor.
void verify_read_back(const std::filesystem::path& path, const fsdp::ShardLayout& layout,
                      std::span<const Hash128> hashes);

}  // namespace ballast::checkpoint
