#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <span>
#include <string>

#include "base/hash.hpp"
#include "checkpoint/manifest.hpp"
#include "comm/communicator.hpp"
#include "fsdp/shard_layout.hpp"
#include "model/parameters.hpp"
#include "optim/master_weights.hpp"

namespace ballast::checkpoint {

/// A rank's flat shards: master weights and both moments, laid out as ShardLayout says.
struct ShardTensors {
  optim::MasterWeights master;
  std::span<float> moment1;
  std::span<float> moment2;
};

/// XXH3-128 over the granules' hashes in canonical order and the state: the same for the same
/// training at any rank count. A granule's hash covers its logical elements of master, moment1 and
/// moment2. Collective; the result is on every rank.
[[nodiscard]] Hash128 state_hash(comm::Communicator& world, const fsdp::ShardLayout& layout,
                                 const ShardTensors& tensors, const TrainingState& state);

/// What goes into a checkpoint besides tensors and state.
struct SaveRequest {
  std::filesystem::path run_dir;
  TrainingState state;
  std::map<std::string, std::string> identity;
  std::string numerics;
  std::string gemm_table{};  ///< see Manifest
  std::string monitor{};     ///< see Manifest
  std::size_t keep = 2;      ///< finished checkpoints to keep; at least 1
};

/// Saves to run_dir/checkpoints/step-N and points run_dir/latest at it: every rank writes one
/// serial HDF5 file into step-N.tmp, syncs it, reads it back against the hashes taken from memory;
/// then the manifest is written, the folder renamed, and the oldest beyond `keep` deleted. If any
/// rank fails, every rank throws the same data Error, nothing half-written stays, and older
/// checkpoints are untouched. Collective. Returns the checkpoint's folder and its state hash.
struct SaveResult {
  std::filesystem::path folder;
  Hash128 hash;
};
SaveResult save(comm::Communicator& world, const fsdp::ShardLayout& layout,
                const ShardTensors& tensors, const SaveRequest& request);

/// Fills this rank's shards from a checkpoint written by any number of ranks. Every file is checked
/// against the manifest (size and hash) before anything of it is used, and the state hash after.
/// Data Errors name the file, and the tensor where it applies. Collective; every rank throws the
/// same Error.
Manifest load(comm::Communicator& world, const fsdp::ShardLayout& layout,
              const std::filesystem::path& folder, const ShardTensors& tensors);

/// Reads the weights alone, whole, in one process: values in canonical order, granule-padded
/// (table.total_granules() · kGranule elements). For inference.
Manifest load_weights(const model::ParameterTable& table, const std::filesystem::path& folder,
                      std::span<float> weights);

/// Holds the size and hash of every file against the manifest; a data Error names the first that is
/// missing or altered.
void verify_files(const Manifest& manifest, const std::filesystem::path& folder);

/// Deletes what an interrupted save left behind (step-*.tmp). Call on one rank.
void remove_unfinished(const std::filesystem::path& run_dir);

}  // namespace ballast::checkpoint
