#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "formats/safetensors/safetensors_plan.hpp"
#include "storage/range_file.hpp"

namespace ballast::formats {

/// Creates the files of a plan in an existing folder, in full size, with their headers, and the
/// index. One process does this, before any of them opens a SafetensorsWriter there. Throws a data
/// Error that names the file, or that says how much room there is.
///
/// So that nobody takes half of a model for a whole one, the folder has another name until all
/// processes are done: make it in a storage::WorkFolder, which also removes it after an error, and
/// deliver it in the end.
void create_safetensors(const SafetensorsPlan& plan, const std::filesystem::path& folder);

/// Writes tensors into the files of a plan in ranges. Several processes may do so at once, if their
/// ranges do not overlap; in one process, one thread at a time.
///
/// All errors are data Errors that name the file and the byte or the tensor, unless something else
/// is said.
class SafetensorsWriter {
 public:
  /// `plan` must outlive the writer and be the one of create_safetensors. Files are opened when
  /// they are first written.
  SafetensorsWriter(const SafetensorsPlan& plan, std::filesystem::path folder);

  /// Element first + i of the tensor, in row-major order, becomes values[i], rounded to nearest,
  /// ties to even, in the plan's type. Throws if a finite value is beyond what that type holds
  /// (fp16: 65,504): the message names its element. Throws an internal Error if the range is not in
  /// the tensor. Takes at most 1 MiB of memory.
  void write(std::string_view name, std::uint64_t first, std::span<const float> values);

  /// Flushes what was written to the disk and closes the files. Without it, nothing is sure to be
  /// there.
  void finish();

  /// Elements written. A range that nobody writes is left as zeros: over all processes this must
  /// come to the plan's total_parameters().
  [[nodiscard]] std::uint64_t written() const { return written_; }

 private:
  [[nodiscard]] storage::RangeFile& file(std::size_t number);

  const SafetensorsPlan* plan_;
  std::filesystem::path folder_;
  std::vector<std::optional<storage::RangeFile>> files_;  ///< those that are open
  std::uint64_t written_ = 0;
};

}  // namespace ballast::formats
