#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <vector>

#include "base/granule.hpp"
#include "checkpoint/shard_file.hpp"
#include "model/parameters.hpp"

namespace ballast::checkpoint {

/// A run of granules in a file of a checkpoint.
struct Extent {
  GranuleRange granules;   ///< in the canonical order of the whole model
  std::size_t file;        ///< index into the manifest's files
  std::size_t file_start;  ///< the granule of the file that the run begins with
};

/// Which file holds which granule: the rows of all files, put in canonical order. Whatever layout
/// and rank count wrote them, every granule must be there exactly once.
class ExtentMap {
 public:
  /// rows[i]: those of file i. `paths` are for the data Errors, which name file and tensor.
  ExtentMap(const model::ParameterTable& table, std::span<const std::vector<Row>> rows,
            std::span<const std::filesystem::path> paths);

  /// The runs that make up `wanted`, in order.
  [[nodiscard]] std::vector<Extent> find(GranuleRange wanted) const;

 private:
  std::vector<Extent> extents_;  ///< adjacent, from granule 0 to the last
};

}  // namespace ballast::checkpoint
