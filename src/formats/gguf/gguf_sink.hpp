#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "base/granule.hpp"
#include "formats/gguf/gguf_plan.hpp"
#include "model/weight_source.hpp"
#include "storage/range_file.hpp"

namespace ballast::formats {

/// Creates the file of a plan in an existing folder, in full size, with its header and all that is
/// no weight, and returns the byte at which the data begin. One process does this, before any of
/// them opens a GgufSink there. Throws a data Error that names the file, or that says how much room
/// there is.
///
/// So that nobody takes half of a model for a whole one, the file has another name until all
/// processes are done: make it in a storage::WorkFolder, and deliver it in the end.
std::uint64_t create_gguf(const GgufPlan& plan, const GgufText& text,
                          const std::filesystem::path& path);

/// The weights of a GGUF file that is being written, by any number of processes. Every range of
/// granules has a place of its own in the file: a row is whole blocks, and the sizes of blocks (1,
/// 32 and 256 elements) divide those of a granule (1,024). So a block, which begins at a multiple
/// of its size in its row, begins at one in the tensor, lies within one granule, and depends on
/// nothing else.
class GgufSink final : public model::WeightSink {
 public:
  /// `plan` must outlive this; the file was made by create_gguf, which returned `data_begin`.
  GgufSink(const GgufPlan& plan, std::uint64_t data_begin, std::filesystem::path path);

  /// Those of whole rows, where a block depends on its row: at most 32 rows.
  [[nodiscard]] std::size_t granules_together(const model::ParameterInfo& tensor) const override;
  /// Throws a data Error that names file, tensor and element where a value is not finite, or beyond
  /// what its block holds. Where columns have an importance, blocks of 32 elements depend on their
  /// whole row: an internal Error if the range cuts a row of theirs.
  void write(const model::ParameterInfo& tensor, GranuleRange range,
             std::span<const float> values) override;
  /// What was written is on the disk when this returns.
  void finish() { file_.finish(); }
  /// Elements written; over all processes these must come to plan.total_parameters().
  [[nodiscard]] std::uint64_t written() const { return written_; }

 private:
  /// Turns part of a tensor, from this element on, into blocks_.
  void fill_blocks(const PlannedGgufTensor& planned, std::size_t first,
                   std::span<const float> part);

  const GgufPlan* plan_;
  std::uint64_t data_begin_;
  storage::RangeFile file_;
  std::vector<std::uint8_t> blocks_;  ///< of one write
  std::uint64_t written_ = 0;
};

}  // namespace ballast::formats
