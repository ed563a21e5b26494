#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.hpp"
#include "formats/file_sample.hpp"
#include "formats/safetensors/safetensors_header.hpp"
#include "storage/byte_source.hpp"

namespace ballast::formats {

/// A safetensors file that is read in ranges, in any order and by any number of threads at once. It
/// may come from anyone: its header is held against its size before memory is taken for either. It
/// must not change while it is open.
///
/// F32, F16 and BF16 are read, exactly into fp32. A file may hold tensors of other types (integer
/// buffers, say) as long as nobody asks for their elements.
///
/// All errors are data Errors that name the file and say what to do, unless something else is said.
class SafetensorsFile {
 public:
  /// Reads the header.
  explicit SafetensorsFile(std::filesystem::path path);

  [[nodiscard]] const std::filesystem::path& path() const { return source_->path(); }
  /// In the order of the header.
  [[nodiscard]] std::span<const SafetensorsTensor> tensors() const { return tensors_; }
  [[nodiscard]] bool contains(std::string_view name) const { return by_name_.contains(name); }
  /// Throws if the file has no such tensor.
  [[nodiscard]] const SafetensorsTensor& tensor(std::string_view name) const;
  /// Throws if `read` would refuse the tensor: it is not there, or its type is not read.
  void require_readable(std::string_view name) const;

  /// out[i] = element first + i of the tensor's elements in row-major order. Takes at most 1 MiB of
  /// memory, whatever the range. Throws an internal Error if the range is not in the tensor.
  void read(std::string_view name, std::uint64_t first, std::span<float> out) const;

  /// As sample_file has it.
  void sample(Hasher& hasher) const { sample_file(*source_, data_begin_, hasher); }

 private:
  std::unique_ptr<const storage::ByteSource> source_;
  std::vector<SafetensorsTensor> tensors_;
  std::map<std::string, std::size_t, std::less<>> by_name_;
  std::uint64_t data_begin_ = 0;  ///< byte of the file
};

}  // namespace ballast::formats
