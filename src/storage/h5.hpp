#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <hdf5.h>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/h5_chunks.hpp"
#include "storage/h5_handle.hpp"
#include "storage/h5_stored.hpp"

namespace ballast::storage {

/// Of the HDF5 library in use: "1.10.8".
[[nodiscard]] std::string hdf5_version();

/// How a one-dimensional dataset is stored.
struct H5Layout {
  std::size_t chunk = 0;  ///< elements a chunk; 0: contiguous, fixed size
  int deflate = 0;        ///< 0 (none) to 9; needs chunks
};

/// A serial HDF5 file of one-dimensional datasets and attributes. All errors are data Errors that
/// name the file and the dataset. Never used over MPI-IO: each writer has its own file. One thread
/// at a time, over all files of the process: reading, too, moves the library's state.
/// Supported elements: std::uint8_t, uint16_t, uint32_t, uint64_t, int32_t, int64_t, float, double.
/// Folders in a dataset's name ("train/tokens") become HDF5 groups.
class H5File {
 public:
  static H5File create(const std::filesystem::path& path);
  /// Read-only. Says so when the file is missing, is not HDF5 or is truncated. The file may come
  /// from anyone: links and storage that lead out of it are refused, and so is what claims more
  /// than a file of its size can hold (StoredDataset says how). What is read takes no more memory
  /// than the file has bytes and 64 MiB.
  static H5File open(const std::filesystem::path& path);

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

  [[nodiscard]] bool contains(const std::string& object) const;
  [[nodiscard]] std::size_t size(const std::string& dataset) const;
  /// Bytes of one stored element: 2 for uint16 tokens, 4 for uint32.
  [[nodiscard]] std::size_t element_size(const std::string& dataset) const;
  /// Reads elements [offset, offset + out.size()), converted to T; integers only into integers.
  template <class T>
  void read(const std::string& dataset, std::size_t offset, std::span<T> out) const;
  /// All elements. What is read so from one file may not come to much more than the file's size.
  template <class T>
  [[nodiscard]] std::vector<T> read_all(const std::string& dataset) const;

  /// How a dataset is stored, in the same words wherever it is stored alike: type, order of bytes,
  /// chunks and filters with their parameters.
  [[nodiscard]] std::string storage(const std::string& dataset) const;
  /// One chunk as it lies in the file: neither unpacked nor converted.
  struct StoredChunk {
    std::uint32_t filter_mask = 0;  ///< which filters were left out for it
    std::vector<std::byte> bytes;
  };
  /// Reads the chunk whose first element is `first` into `out`, which keeps its room.
  void read_stored_chunk(const std::string& dataset, std::size_t first, StoredChunk& out) const;

  /// Attributes of the file itself (its root group); text of less than 64 KiB, without NULs.
  void set_attribute(const std::string& name, std::string_view text);
  void set_attribute(const std::string& name, std::uint64_t number);
  [[nodiscard]] bool has_attribute(const std::string& name) const;
  [[nodiscard]] std::string text_attribute(const std::string& name) const;
  [[nodiscard]] std::uint64_t number_attribute(const std::string& name) const;

  /// Flushes and closes; throws if anything did not reach the file system.
  void close();

 private:
  H5File(std::filesystem::path path, H5Handle file, std::uint64_t bytes)
      : path_{std::move(path)}, file_{std::move(file)}, bytes_{bytes} {}
  void create_dataset(const std::string& name, hid_t type, std::size_t size, H5Layout layout,
                      hsize_t max_size);
  void write_range(const std::string& name, hid_t type, std::size_t offset, std::size_t count,
                   const void* values);
  void read_range(const std::string& name, hid_t type, std::size_t offset, std::size_t count,
                  void* out) const;
  void set_attribute(const std::string& name, hid_t type, const void* value);
  /// Of a file that is being written.
  [[nodiscard]] hid_t dataset(const std::string& name);
  /// Checked when it is first asked for, and kept open.
  [[nodiscard]] StoredDataset& stored(const std::string& name) const;
  [[nodiscard]] std::uint64_t file_bytes() const;
  /// Of its header; refuses links to other places on the way.
  [[nodiscard]] haddr_t address_of(const std::string& object) const;
  void charge_whole(const std::string& name, StoredDataset& dataset) const;

  std::filesystem::path path_;
  H5Handle file_;
  std::uint64_t bytes_;  ///< of the file when it was opened for reading
  std::map<std::string, H5Handle> written_;
  mutable std::map<std::string, StoredDataset> stored_;
  mutable ChunkCache chunks_;
  mutable std::uint64_t read_whole_ = 0;  ///< bytes of datasets that were read as a whole
};

}  // namespace ballast::storage
