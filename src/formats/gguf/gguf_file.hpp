#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/hash.hpp"
#include "formats/file_sample.hpp"
#include "formats/gguf/gguf_header.hpp"
#include "storage/byte_source.hpp"
#include "tensor/element.hpp"

namespace ballast::formats {

/// Whether a file begins as GGUF files do; not if there is none.
[[nodiscard]] bool is_gguf_file(const std::filesystem::path& path);

/// A GGUF file that is read in ranges, in any order and by any number of threads at once. It may
/// come from anyone: its header is held against its size before memory is taken for either. It must
/// not change while it is open.
///
/// All errors are data Errors that name the file and say what to do, unless something else is said.
class GgufFile {
 public:
  /// Reads the header.
  explicit GgufFile(std::filesystem::path path);

  [[nodiscard]] const std::filesystem::path& path() const { return source_->path(); }
  [[nodiscard]] const GgufMetadata& metadata() const { return header_.metadata; }
  /// In the order of the file.
  [[nodiscard]] std::span<const GgufTensor> tensors() const { return header_.tensors; }
  [[nodiscard]] bool contains(std::string_view name) const { return by_name_.contains(name); }
  /// Throws if the file has no such tensor.
  [[nodiscard]] const GgufTensor& tensor(std::string_view name) const;

  /// out[i] = element first + i of the tensor's elements in row-major order, which are whole
  /// blocks. Takes at most 1 MiB of memory, whatever the range. Throws an internal Error if the
  /// range is not in the tensor, or cuts a block.
  void read(std::string_view name, std::uint64_t first, std::span<float> out) const;

  /// As sample_file has it.
  void sample(Hasher& hasher) const { sample_file(*source_, header_.data_begin, hasher); }

 private:
  std::unique_ptr<const storage::ByteSource> source_;
  GgufHeader header_;
  std::map<std::string, std::size_t, std::less<>> by_name_;
};

/// The type that holds all matrices of a file as they are; fp32 where there is no narrower one.
[[nodiscard]] ElementType stored_type(const GgufFile& file);

}  // namespace ballast::formats
