#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "base/error.hpp"
#include "base/text.hpp"
#include "checkpoint/checkpoint.hpp"
#include "checkpoint/folders.hpp"
#include "checkpoint/granule_hashes.hpp"
#include "checkpoint/read_back.hpp"
#include "checkpoint/shard_file.hpp"
#include "comm/agree.hpp"
#include "storage/files.hpp"

namespace ballast::checkpoint {

namespace {

constexpr const char* kTokenizerName = "tokenizer.model";

/// Files of all writers and the manifest, on one file system.
std::uint64_t bytes_needed(const fsdp::ShardLayout& layout) {
  std::uint64_t bytes = shard_file_bytes(0, 0);
  for (std::size_t rank = 0; rank < layout.ranks(); ++rank) {
    bytes += shard_file_bytes(layout.owned_granules(rank), layout.owned_trained_granules(rank));
  }
  return bytes;
}

std::size_t most_owned_granules(const fsdp::ShardLayout& layout) {
  std::size_t most = 0;
  for (std::size_t rank = 0; rank < layout.ranks(); ++rank) {
    most = std::max(most, layout.owned_granules(rank));
  }
  return most;
}

/// This rank's file: written, read back and hashed, a step at a time on all ranks.
class OwnFile {
 public:
  OwnFile(comm::Communicator& world, const std::filesystem::path& folder,
          const fsdp::ShardLayout& layout)
      : world_{&world},
        layout_{&layout},
        name_{shard_file_name(layout.rank(), layout.ranks())},
        path_{folder / name_},
        most_granules_{most_owned_granules(layout)} {}

  void write(const ShardTensors& tensors, const TrainingState& state,
             std::span<const Hash128> hashes) {
    std::optional<ShardWriter> writer;
    stepwise(steps_of_granules(most_granules_), [&](std::size_t step) {
      if (!writer) writer.emplace(path_, *layout_, tensors, state, hashes);
      writer->write(step);
    });
    comm::agree(*world_, "checkpoint file", [&] { writer->close(); });
  }

  void verify(std::span<const Hash128> hashes) {
    std::optional<ReadBack> reader;
    stepwise(steps_of_granules(most_granules_), [&](std::size_t step) {
      if (!reader) reader.emplace(path_, *layout_, hashes);
      reader->compare(step);
    });
  }

  [[nodiscard]] FileEntry entry() {
    storage::FileHasher hasher;
    // One more than the bytes say: the end is found by reading on.
    stepwise(steps_of_bytes(shard_file_bytes(most_granules_, most_granules_)) + 1,
             [&](std::size_t step) {
               if (step == 0) hasher.open(path_);
               hasher.advance(kStepBytes);
             });
    return {name_, hasher.bytes(), hasher.digest()};
  }

 private:
  void stepwise(std::size_t steps, const std::function<void(std::size_t)>& work) {
    comm::agree_stepwise(*world_, "checkpoint file", steps, work);
  }

  comm::Communicator* world_;
  const fsdp::ShardLayout* layout_;
  std::string name_;
  std::filesystem::path path_;
  std::size_t most_granules_;  ///< of any rank
};

/// On the root: the tokenizer's model as a file of the checkpoint.
std::optional<FileEntry> write_tokenizer(const std::filesystem::path& folder,
                                         std::span<const std::uint8_t> model) {
  if (model.empty()) return std::nullopt;
  const std::string bytes{model.begin(), model.end()};
  storage::write_text_atomically(folder / kTokenizerName, bytes);
  return FileEntry{kTokenizerName, bytes.size(), hash_of(std::span{bytes})};
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
      .tokenizer = {},
      .settings = request.settings,
      .lr = request.lr,
  };
  for (const auto& parameter : layout.table().parameters()) {
    manifest.tensors.push_back({parameter.name, {parameter.shape.begin(), parameter.shape.end()}});
  }
  return manifest;
}

}  // namespace

std::string require_room(comm::Communicator& world, const fsdp::ShardLayout& layout,
                         const std::filesystem::path& run_dir, std::size_t count) {
  const std::uint64_t one = bytes_needed(layout);
  comm::agree(world, "checkpoint space", [&] {
    with_context("no room for a checkpoint", [&] { storage::require_free_space(run_dir, one); });
  });
  const std::size_t there = finished_checkpoints(run_dir).size();
  const std::uint64_t more = one * (count + 1 - std::min(there, count));
  const std::uint64_t free = storage::free_space(run_dir);
  if (free >= more) return {};
  return fmt::format("'{}' has {} free; the next checkpoints need {}", run_dir.string(),
                     human_bytes(free), human_bytes(more));
}

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
    OwnFile file{world, unfinished, layout};
    file.write(tensors, request.state, hashes);
    file.verify(hashes);
    const auto files = gather_entries(world, file.entry());
    on_root("checkpoint manifest", [&] {
      Manifest manifest = make_manifest(layout, request, hash, files);
      manifest.tokenizer = write_tokenizer(unfinished, request.tokenizer_model);
      // Syncs the folder, too, and with it the names of the ranks' files.
      storage::write_text_atomically(unfinished / kManifestName, manifest.to_json());
      publish_folder(request.run_dir, step);
    });
  } catch (const Error&) {
    std::error_code ignored;  // the first error is the one to tell
    if (world.is_root()) std::filesystem::remove_all(unfinished, ignored);
    throw;
  }
  SaveResult result{step_folder(request.run_dir, step), hash, {}};
  try {
    on_root("older checkpoints", [&] { prune_folders(request.run_dir, step, request.retention); });
  } catch (const Error& error) {
    if (error.code() != ExitCode::data) throw;
    result.unpruned = error.what();  // this one is saved all the same
  }
  return result;
}

}  // namespace ballast::checkpoint
