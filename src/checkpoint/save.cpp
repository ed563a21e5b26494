#include <functional>
#include <string>
#include <system_error>
#include <vector>

#include "base/error.hpp"
#include "checkpoint/checkpoint.hpp"
#include "checkpoint/folders.hpp"
#include "checkpoint/granule_hashes.hpp"
#include "checkpoint/read_back.hpp"
#include "checkpoint/shard_file.hpp"
#include "comm/agree.hpp"
#include "storage/files.hpp"

namespace ballast::checkpoint {

namespace {

/// Files of all writers and the manifest, on one file system.
std::uint64_t bytes_needed(const fsdp::ShardLayout& layout) {
  std::uint64_t bytes = shard_file_bytes(0);
  for (std::size_t rank = 0; rank < layout.ranks(); ++rank) {
    bytes += shard_file_bytes(layout.owned_granules(rank));
  }
  return bytes;
}

/// Writes, syncs and reads back this rank's file.
FileEntry write_and_verify(const std::filesystem::path& folder, const fsdp::ShardLayout& layout,
                           const ShardTensors& tensors, const TrainingState& state,
                           std::span<const Hash128> hashes) {
  const std::string name = shard_file_name(layout.rank(), layout.ranks());
  const auto path = folder / name;
  write_shard_file(path, layout, tensors, state);
  storage::sync_file(path);
  verify_read_back(path, layout, hashes);
  std::error_code error;
  const std::uint64_t bytes = std::filesystem::file_size(path, error);
  if (error) throw data_error("cannot read '{}': {}", path.string(), error.message());
  return {name, bytes, storage::hash_file(path)};
}

/// Every rank's entry, in rank order, on every rank.
std::vector<FileEntry> gather_entries(comm::Communicator& world, const FileEntry& own) {
  constexpr std::size_t kHexDigits = 32;
  const auto texts = world.gather_texts(fmt::format("{}{}", own.hash.hex(), own.bytes),
                                        {"checkpoint", "file entries"});
  std::vector<FileEntry> files;
  for (const auto& text : texts) {
    files.push_back({shard_file_name(files.size(), texts.size()),
                     std::stoull(text.substr(kHexDigits)),
                     Hash128::parse(text.substr(0, kHexDigits))});
  }
  return files;
}

Manifest make_manifest(const fsdp::ShardLayout& layout, const SaveRequest& request,
                       const Hash128& hash, std::vector<FileEntry> files) {
  Manifest manifest{
      .state = request.state,
      .state_hash = hash,
      .writers = layout.ranks(),
      .tensors = {},
      .files = std::move(files),
      .identity = request.identity,
      .numerics = request.numerics,
      .gemm_table = request.gemm_table,
      .monitor = request.monitor,
  };
  for (const auto& parameter : layout.table().parameters()) {
    manifest.tensors.push_back({parameter.name, {parameter.shape.begin(), parameter.shape.end()}});
  }
  return manifest;
}

}  // namespace

SaveResult save(comm::Communicator& world, const fsdp::ShardLayout& layout,
                const ShardTensors& tensors, const SaveRequest& request) {
  require_fit(world, layout, tensors);
  const std::uint64_t step = request.state.step;
  const auto unfinished = unfinished_folder(request.run_dir, step);
  const auto on_root = [&](std::string_view what, const std::function<void()>& work) {
    comm::agree(world, what, [&] {
      if (world.is_root()) work();
    });
  };
  Hash128 hash;
  try {
    on_root("checkpoint folder", [&] { start_folder(request.run_dir, step); });
    comm::agree(world, "checkpoint space", [&] {
      storage::require_free_space(checkpoints_folder(request.run_dir), bytes_needed(layout));
    });
    const auto hashes = granule_hashes(layout, tensors);
    hash = combine_hashes(world, layout, hashes, request.state);
    const auto own = comm::agree_on<FileEntry>(world, "checkpoint file", [&] {
      return write_and_verify(unfinished, layout, tensors, request.state, hashes);
    });
    const auto files = gather_entries(world, own);
    on_root("checkpoint manifest", [&] {
      // Syncs the folder, too, and with it the names of the ranks' files.
      storage::write_text_atomically(unfinished / kManifestName,
                                     make_manifest(layout, request, hash, files).to_json());
      publish_folder(request.run_dir, step);
    });
  } catch (const Error&) {
    std::error_code ignored;  // the first error is the one to tell
    if (world.is_root()) std::filesystem::remove_all(unfinished, ignored);
    throw;
  }
  on_root("older checkpoints", [&] { prune_folders(request.run_dir, step, request.keep); });
  return {step_folder(request.run_dir, step), hash};
}

}  // namespace ballast::checkpoint
