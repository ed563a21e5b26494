#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/hash.hpp"
#include "checkpoint/folders.hpp"
#include "checkpoint/manifest.hpp"
#include "comm/communicator.hpp"
#include "fsdp/shard_layout.hpp"
#include "model/parameters.hpp"
#include "optim/master_weights.hpp"

namespace ballast::checkpoint {

struct Checked;  // checkpoint/check.hpp

/// A rank's flat shards, laid out as ShardLayout says: master weights, and both moments of the part
/// that trains, which comes first.
struct ShardTensors {
  optim::MasterWeights master;
  std::span<float> moment1;
  std::span<float> moment2;
};

/// XXH3-128 over the granules' hashes in canonical order and the state: the same for the same
/// training at any rank count. A granule's hash covers its logical elements of master and, where it
/// trains, of moment1 and moment2. Collective; the result is on every rank.
[[nodiscard]] Hash128 state_hash(comm::Communicator& world, const fsdp::ShardLayout& layout,
                                 const ShardTensors& tensors, const TrainingState& state);

/// What goes into a checkpoint besides tensors and state.
struct SaveRequest {
  std::filesystem::path run_dir;
  TrainingState state;
  std::map<std::string, std::string> identity;
  std::string numerics;
  std::string gemm_table{};                         ///< see Manifest
  std::string monitor{};                            ///< see Manifest
  std::span<const std::uint8_t> tokenizer_model{};  ///< empty: the tokenizer needs none
  std::string settings{};                           ///< see Manifest
  std::optional<double> lr{};                       ///< see Manifest
  Retention retention{};                            ///< of older checkpoints
};

/// A checkpoint that was saved.
struct SaveResult {
  std::filesystem::path folder;
  Hash128 hash;
  std::string unpruned;  ///< why older checkpoints could not be deleted; empty if they were
};
/// Saves to run_dir/checkpoints/step-N and points run_dir/latest at it. Every rank writes one
/// serial HDF5 file into step-N.tmp, syncs it, and compares it with the hashes of its memory; then
/// the manifest is written, the folder renamed, and older ones deleted as `retention` says. The
/// ranks exchange a message after every 60 MiB, so that a long save is not taken for a hang. If any
/// rank fails, every rank throws the same data Error, unfinished files are deleted, and older
/// checkpoints are untouched. Collective.
SaveResult save(comm::Communicator& world, const fsdp::ShardLayout& layout,
                const ShardTensors& tensors, const SaveRequest& request);

/// A data Error unless the file system of `run_dir`, which exists, has room for one checkpoint of
/// this layout. Returns a warning if there is no room for `count` checkpoints and the one that is
/// written before an older one is deleted; else empty. Collective.
[[nodiscard]] std::string require_room(comm::Communicator& world, const fsdp::ShardLayout& layout,
                                       const std::filesystem::path& run_dir, std::size_t count);

/// The first value that is not finite among the tensors of all ranks, in words: "moment2 of tensor
/// 'head' holds nan (element 17, rank 1/2 node04)". Empty where all are finite. A training cannot
/// go on from such a state. Collective; the same on every rank.
[[nodiscard]] std::string find_nonfinite(comm::Communicator& world, const fsdp::ShardLayout& layout,
                                         const ShardTensors& tensors);

/// Fills this rank's shards from a checkpoint that was checked, written by any number of ranks;
/// afterwards compares the state hash. Data Errors name the file, and the tensor where it applies.
/// Collective; every rank throws the same Error.
Manifest load(comm::Communicator& world, const fsdp::ShardLayout& layout, const Checked& checkpoint,
              const ShardTensors& tensors);
/// The same for a folder that was not checked yet.
Manifest load(comm::Communicator& world, const fsdp::ShardLayout& layout,
              const std::filesystem::path& folder, const ShardTensors& tensors);

/// The tokenizer's model that a checkpoint holds; empty where there is none. A data Error names the
/// file if it is not what was saved.
[[nodiscard]] std::vector<std::uint8_t> tokenizer_model(const Manifest& manifest,
                                                        const std::filesystem::path& folder);

}  // namespace ballast::checkpoint
