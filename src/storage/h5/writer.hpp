#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <hdf5.h>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "storage/h5/writer_handle.hpp"

namespace ballast::storage {

/// Of the HDF5 library in use: "1.10.8".
[[nodiscard]] std::string hdf5_version();

/// How a one-dimensional dataset is stored.
struct H5Layout {
  std::size_t chunk = 0;  ///< elements a chunk; 0: contiguous, fixed size
  int deflate = 0;        ///< 0 (none) to 9; needs chunks
};

/// A serial HDF5 file of one-dimensional datasets and attributes that is being written, by HDF5's
/// library. H5Reader reads it. All errors are data Errors that name the file and the dataset. Never
/// used over MPI-IO: each writer has its own file. One thread at a time, over all files that the
/// process writes: the library has one state.
/// Supported elements: std::uint8_t, uint16_t, uint32_t, uint64_t, int32_t, int64_t, float, double.
/// Folders in a dataset's name ("train/tokens") become HDF5 groups.
class H5Writer {
 public:
  /// Creates the file, in the place of one that is there.
  explicit H5Writer(std::filesystem::path path);

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  template <class T>
  void write(const std::string& dataset, std::span<const T> values, H5Layout layout = {});
  /// Creates a dataset of `size` elements for `write_at`.
  template <class T>
  void reserve(const std::string& dataset, std::size_t size);
  /// Writes elements [offset, offset + values.size()).
  template <class T>
  void write_at(const std::string& dataset, std::size_t offset, std::span<const T> values);
  /// Creates an empty, growing dataset for `append`; needs layout.chunk > 0.
  template <class T>
  void create_growing(const std::string& dataset, H5Layout layout);
  /// Cheapest in multiples of the chunk.
  template <class T>
  void append(const std::string& dataset, std::span<const T> values);

  /// Attributes of the file itself (its root group); text of less than 64 KiB, without NULs.
  void set_attribute(const std::string& name, std::string_view text);
  void set_attribute(const std::string& name, std::uint64_t number);

  /// Afterwards an H5Reader that is opened finds all that was written so far, until something else
  /// is.
  void flush();
  /// Flushes and closes; throws if anything did not reach the file system.
  void close();

 private:
  void create_dataset(const std::string& name, hid_t type, std::size_t size, H5Layout layout,
                      hsize_t max_size);
  void write_range(const std::string& name, hid_t type, std::size_t offset, std::size_t count,
                   const void* values);
  void set_attribute(const std::string& name, hid_t type, const void* value);
  [[nodiscard]] hid_t dataset(const std::string& name) const;
  [[nodiscard]] Error unfinished(const std::string& why) const;

  std::filesystem::path path_;
  h5::Handle file_;
  std::map<std::string, h5::Handle> datasets_;
};

}  // namespace ballast::storage
