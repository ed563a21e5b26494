#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/hash.hpp"
#include "optim/loss_scaler.hpp"

namespace ballast::checkpoint {

/// The file of a checkpoint that is written last.
inline constexpr const char* kManifestName = "manifest.json";

/// Where a training stands, apart from its tensors.
struct TrainingState {
  std::uint64_t step = 0;             ///< the last step taken
  std::uint64_t optimizer_steps = 0;  ///< updates applied: steps less the skipped ones
  std::uint64_t seed = 0;
  std::uint64_t cursor = 0;  ///< samples drawn so far: the sampler's next position
  std::uint64_t tokens = 0;  ///< labels since the start
  optim::LossScalerState loss_scaler{};

  friend bool operator==(const TrainingState&, const TrainingState&) = default;
};

struct TensorEntry {
  std::string name;
  std::vector<std::uint64_t> shape;
};

struct FileEntry {
  std::string name;  ///< within the checkpoint's folder
  std::uint64_t bytes = 0;
  Hash128 hash;
};

/// A checkpoint of a format that this build does not know. It may be whole: another build reads it.
class UnknownFormat : public Error {
  using Error::Error;
};

/// manifest.json: written last, so a checkpoint that has one is whole.
struct Manifest {
  static constexpr std::uint64_t kFormatVersion = 3;  ///< that is written
  static constexpr std::uint64_t kOldestVersion = 2;  ///< that is read; there nothing is frozen

  TrainingState state;
  Hash128 state_hash;
  std::uint64_t writers = 0;
  std::vector<TensorEntry> tensors;  ///< in canonical order
  std::vector<FileEntry> files;
  /// What a resume compares and a reader needs, by key: "model.dim" → "512", "data.content_hash", …
  std::map<std::string, std::string> identity;
  std::string numerics;  ///< the numerics fingerprint of the run that saved it
  /// The rules that chose a library for each matrix product, a line each
  /// (kernels::GemmTable::rules_text). Empty in older manifests.
  std::string gemm_table{};
  /// The monitor's state as JSON. Empty in older manifests.
  std::string monitor{};
  /// The tokenizer's serialized model, where it has one: a file beside those of the writers, so
  /// that a checkpoint can be used without its dataset. Older checkpoints have none.
  std::optional<FileEntry> tokenizer{};
  /// The settings of its run as INI text, and the learning rate that the schedule gave its last
  /// step: a resume reports what differs from them. Empty in older checkpoints.
  std::string settings{};
  std::optional<double> lr{};

  [[nodiscard]] std::string to_json() const;
  /// Data Errors name `path` and the key that is missing or wrong.
  static Manifest parse(const std::string& json, const std::filesystem::path& path);
  static Manifest read(const std::filesystem::path& folder);
};

/// Throws a data Error if a file of a checkpoint is a symbolic link: a folder from a stranger could
/// make its reader open any file. A link to the folder itself was made by its user, and is
/// followed.
void refuse_link(const std::filesystem::path& path);

}  // namespace ballast::checkpoint
