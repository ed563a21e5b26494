#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "checkpoint/manifest.hpp"
#include "checkpoint/shard_file.hpp"
#include "comm/communicator.hpp"

namespace ballast::checkpoint {

/// A checkpoint whose files were all compared with its manifest: what a load needs.
struct Checked {
  std::filesystem::path folder;
  Manifest manifest;
  std::vector<std::vector<Row>> rows;  ///< of each of the manifest's files
};

/// The result of a check: a checkpoint that may be loaded, or what is wrong with it.
struct CheckResult {
  std::optional<Checked> checked;
  std::string damage;  ///< names the file, and the tensor where it can; empty when all is well
};

/// Reads every file of a checkpoint, file i on rank i mod N, and compares size and hash with the
/// manifest. The same result on every rank. A data Error if this build does not know the format,
/// which is no damage. Collective.
[[nodiscard]] CheckResult try_check(comm::Communicator& world, const std::filesystem::path& folder);

/// The same, but throws a data Error for damage.
[[nodiscard]] Checked check(comm::Communicator& world, const std::filesystem::path& folder);

/// The same in one process, without the rows. A data Error names the first file that is missing or
/// altered.
void verify_files(const Manifest& manifest, const std::filesystem::path& folder);

}  // namespace ballast::checkpoint
