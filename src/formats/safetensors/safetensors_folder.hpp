#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/safetensors/safetensors_file.hpp"

namespace ballast::formats {

/// The weights of a Hugging Face folder: `model.safetensors`, or, where that is missing, the files
/// that `model.safetensors.index.json` names. The folder may come from anyone: no name in it, and
/// no link, leads to a file outside of it, and index and files must agree on every tensor. Only in
/// a cache of Hugging Face's, `models--OWNER--NAME/snapshots/REVISION`, links lead to files in
/// `models--OWNER--NAME/blobs`.
///
/// All files are open from the start, so that no other one can take a file's place in between. All
/// errors are data Errors that name folder, file or tensor and say what to do, unless something
/// else is said.
class SafetensorsFolder {
 public:
  /// Reads the index and all headers. Throws, too, where the folder holds no safetensors: then the
  /// message says what it holds instead.
  explicit SafetensorsFolder(std::filesystem::path folder);

  [[nodiscard]] const std::filesystem::path& path() const { return folder_; }
  /// The files with weights.
  [[nodiscard]] std::span<const SafetensorsFile> files() const { return files_; }
  /// In the order of their names.
  [[nodiscard]] std::vector<std::string> names() const;
  [[nodiscard]] bool contains(std::string_view name) const { return file_of_.contains(name); }
  /// Throws if the folder has no such tensor.
  [[nodiscard]] const SafetensorsTensor& tensor(std::string_view name) const;
  /// Throws if `read` would refuse the tensor: it is not there, or its type is not read.
  void require_readable(std::string_view name) const;

  /// out[i] = element first + i of the tensor's elements in row-major order; by any number of
  /// threads at once. Throws an internal Error if the range is not in the tensor.
  void read(std::string_view name, std::uint64_t first, std::span<float> out) const;

  /// A hash of the names of the tensors and of a sample of every file, in little time however large
  /// the folder is: whether two hosts have the same one.
  [[nodiscard]] Hash128 sample() const;

 private:
  void open_single();
  void open_shards();
  [[nodiscard]] const SafetensorsFile& file_with(std::string_view name) const;

  std::filesystem::path folder_;
  std::vector<SafetensorsFile> files_;
  std::map<std::string, std::size_t, std::less<>> file_of_;
};

}  // namespace ballast::formats
