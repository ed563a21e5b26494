#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/granule.hpp"
#include "checkpoint/checkpoint.hpp"
#include "checkpoint/manifest.hpp"
#include "fsdp/shard_layout.hpp"
#include "storage/h5/reader.hpp"
#include "storage/h5/writer.hpp"

namespace ballast::checkpoint {

/// A run of granules of one tensor: a line of a file's table of contents.
struct Row {
  std::uint64_t tensor;         ///< index into the manifest's tensors
  std::uint64_t first_granule;  ///< within the tensor
  std::uint64_t granules;

  friend bool operator==(const Row&, const Row&) = default;
};

/// The datasets of a file. `master` holds the granules of the rows, one after the other, padding
/// included; the moments hold the same of the first rows, those of tensors that train.
enum class Part { master, moment1, moment2 };
inline constexpr std::array kParts{Part::master, Part::moment1, Part::moment2};
/// "master", "moment1", "moment2": also what its dataset is called.
[[nodiscard]] std::string_view name_of(Part part);

/// Elements [offset, offset + size) of one part of a rank's flat shard, as fp32. Elements beyond
/// the end of the part are not touched.
void read_part(const ShardTensors& tensors, Part part, std::size_t offset, std::span<float> out);
void write_part(const ShardTensors& tensors, Part part, std::size_t offset,
                std::span<const float> values);
[[nodiscard]] std::size_t part_size(const ShardTensors& tensors, Part part);
/// How many of `numel` elements from `offset` on a part of `size` elements has.
[[nodiscard]] constexpr std::size_t part_numel(std::size_t size, std::size_t offset,
                                               std::size_t numel) {
  return offset < size ? std::min(numel, size - offset) : 0;
}

/// Granules that are moved at a time between memory and files.
inline constexpr std::size_t kPieceGranules = 256;

/// Granules that a rank writes or reads back between two collectives (60 MiB of three parts): no
/// rank waits longer than the slowest disk takes for these.
inline constexpr std::size_t kStepGranules = 20 * kPieceGranules;

/// Bytes of a file that are hashed between two collectives.
inline constexpr std::uint64_t kStepBytes = std::uint64_t{64} << 20;

/// The steps of every rank if the largest file has so many granules, or so many bytes; at least 1.
[[nodiscard]] std::size_t steps_of_granules(std::size_t most_granules);
[[nodiscard]] std::size_t steps_of_bytes(std::uint64_t most_bytes);

/// A run of granules of a rank's file and of its flat shard, within one tensor.
struct OwnedPiece {
  std::size_t parameter;      ///< index into the parameter table
  std::size_t file_start;     ///< first granule, counted within the file
  std::size_t local_offset;   ///< first element within the flat shard
  std::size_t granules;       ///< at most kPieceGranules
  std::size_t logical_numel;  ///< elements that count, over all of its granules
};

/// The pieces of step `step` of what this rank owns, in the order of its file.
[[nodiscard]] std::vector<OwnedPiece> pieces_of_step(const fsdp::ShardLayout& layout,
                                                     std::size_t step);

/// The rows of the file of this rank.
[[nodiscard]] std::vector<Row> rows_of(const fsdp::ShardLayout& layout);

/// "rank-00002-of-00004.h5"
[[nodiscard]] std::string shard_file_name(std::size_t rank, std::size_t writers);

/// An upper bound on the bytes of a file of `granules` granules, of which `trained` train.
[[nodiscard]] std::uint64_t shard_file_bytes(std::size_t granules, std::size_t trained);

/// Writes what a rank owns, a step at a time. Data Errors name the file.
class ShardWriter {
 public:
  /// Creates the file. `hashes`: granule_hashes of the tensors; they are written too, so that
  /// damage can be located. All arguments must outlive the writer.
  ShardWriter(const std::filesystem::path& path, const fsdp::ShardLayout& layout,
              const ShardTensors& tensors, const TrainingState& state,
              std::span<const Hash128> hashes);

  /// Writes the granules of one step to the disk; does nothing after the last step.
  void write(std::size_t step);
  /// Closes the file; after that all of it is on the disk.
  void close();

 private:
  storage::H5Writer file_;
  const fsdp::ShardLayout* layout_;
  const ShardTensors* tensors_;
};

/// A writer's file, open for reading. Data Errors name it.
class ShardFile {
 public:
  /// Refuses other format versions, and datasets that are not as long as the rows say.
  explicit ShardFile(const std::filesystem::path& path);

  [[nodiscard]] const std::vector<Row>& rows() const { return rows_; }
  /// Over all rows.
  [[nodiscard]] std::size_t granules() const { return granules_; }
  /// How many of these a part has; they are the first ones.
  [[nodiscard]] std::size_t granules(Part part) const {
    return part == Part::master ? granules_ : trained_;
  }
  /// The hash of each granule, in the file's order. Empty for older files.
  [[nodiscard]] std::vector<Hash128> hashes() const;

  /// Fills `out` (range.numel() elements) with granules of the file, counted from its start, all of
  /// which the part must have.
  void read(Part part, GranuleRange range, std::span<float> out) const;

 private:
  storage::H5Reader file_;
  std::vector<Row> rows_;
  std::size_t granules_ = 0;
  std::size_t trained_ = 0;
};

}  // namespace ballast::checkpoint
