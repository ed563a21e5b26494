#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "base/granule.hpp"
#include "checkpoint/checkpoint.hpp"
#include "checkpoint/manifest.hpp"
#include "fsdp/shard_layout.hpp"
#include "storage/h5.hpp"

namespace ballast::checkpoint {

/// A run of granules of one tensor: a line of a file's table of contents.
struct Row {
  std::uint64_t tensor;         ///< index into the manifest's tensors
  std::uint64_t first_granule;  ///< within the tensor
  std::uint64_t granules;

  friend bool operator==(const Row&, const Row&) = default;
};

/// The datasets of a file. Each holds the granules of the rows, one after the other, padding
/// included.
enum class Part { master, moment1, moment2 };
inline constexpr std::array kParts{Part::master, Part::moment1, Part::moment2};

/// Elements [offset, offset + size) of one part of a rank's flat shard, as fp32.
void read_part(const ShardTensors& tensors, Part part, std::size_t offset, std::span<float> out);
void write_part(const ShardTensors& tensors, Part part, std::size_t offset,
                std::span<const float> values);
[[nodiscard]] std::size_t part_size(const ShardTensors& tensors, Part part);

/// Granules that are moved at a time between memory and files.
inline constexpr std::size_t kPieceGranules = 256;

/// The rows of the file of this rank.
[[nodiscard]] std::vector<Row> rows_of(const fsdp::ShardLayout& layout);

/// "rank-00002-of-00004.h5"
[[nodiscard]] std::string shard_file_name(std::size_t rank, std::size_t writers);

/// A little more than what a writer's file of `granules` granules takes.
[[nodiscard]] std::uint64_t shard_file_bytes(std::size_t granules);

/// Writes what a rank owns and closes the file; what is not yet on the disk is not synced.
void write_shard_file(const std::filesystem::path& path, const fsdp::ShardLayout& layout,
                      const ShardTensors& tensors, const TrainingState& state);

/// A writer's file, open for reading. Data Errors name it.
class ShardFile {
 public:
  /// Refuses other format versions, and datasets that are not as long as the rows say.
  explicit ShardFile(const std::filesystem::path& path);

  [[nodiscard]] const std::vector<Row>& rows() const { return rows_; }
  /// Over all rows.
  [[nodiscard]] std::size_t granules() const { return granules_; }

  /// Fills `out` (range.numel() elements) with granules of the file, counted from its start.
  void read(Part part, GranuleRange range, std::span<float> out) const;

 private:
  storage::H5File file_;
  std::vector<Row> rows_;
  std::size_t granules_ = 0;
};

}  // namespace ballast::checkpoint
