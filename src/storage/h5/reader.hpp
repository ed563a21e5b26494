#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "storage/h5/object_header.hpp"
#include "storage/h5/stored_dataset.hpp"

namespace ballast::storage {

namespace h5 {
class Catalog;
}

/// A serial HDF5 file of one-dimensional datasets and attributes, read without HDF5's library: what
/// H5Writer writes, and nothing else, is read (HDF5 File Format Specification Version 3.0, The HDF
/// Group; the files of this folder name their sections). All errors are data Errors that name the
/// file and the dataset.
/// The file need not be trusted: links and storage that lead out of it are refused, and so are
/// datasets that claim more than a file of its size can hold (see StoredDataset). The reads of one
/// thread take at most as much memory as the file has bytes, plus 64 MiB. Elements are those of
/// H5Writer. Const members may be called by several threads at once, also while other threads write
/// files.
class H5Reader {
 public:
  /// Throws a data Error if the file is missing, not HDF5, truncated, or of another layout.
  explicit H5Reader(std::filesystem::path path);
  ~H5Reader();
  H5Reader(H5Reader&&) noexcept;
  H5Reader& operator=(H5Reader&&) noexcept;

  [[nodiscard]] const std::filesystem::path& path() const;

  /// Whether there is a dataset or a folder of that name.
  [[nodiscard]] bool contains(const std::string& object) const;
  [[nodiscard]] std::size_t size(const std::string& dataset) const;
  /// Bytes of one stored element: 2 for uint16 tokens, 4 for uint32.
  [[nodiscard]] std::size_t element_size(const std::string& dataset) const;
  /// Reads elements [offset, offset + out.size()), converted to T: integers only into integers, and
  /// only those that T can hold. A chunk that was never written is an error.
  template <class T>
  void read(const std::string& dataset, std::size_t offset, std::span<T> out) const;
  /// All elements. All that is read in this way from one file may not be much larger than the file.
  template <class T>
  [[nodiscard]] std::vector<T> read_all(const std::string& dataset) const;

  /// How a dataset is stored, in the same words wherever it is stored alike: type, order of bytes,
  /// chunks and filters with their parameters.
  [[nodiscard]] std::string storage(const std::string& dataset) const;
  using StoredChunk = h5::StoredChunk;
  /// Reads the chunk whose first element is `first` into `out`, whose memory is used again.
  void read_stored_chunk(const std::string& dataset, std::size_t first, StoredChunk& out) const;

  /// Attributes of the file itself (its root group).
  [[nodiscard]] bool has_attribute(const std::string& name) const;
  [[nodiscard]] std::string text_attribute(const std::string& name) const;
  [[nodiscard]] std::uint64_t number_attribute(const std::string& name) const;

 private:
  std::unique_ptr<const ByteSource> source_;
  std::unique_ptr<const h5::ObjectHeader> root_;
  std::unique_ptr<h5::Catalog> catalog_;
  std::unique_ptr<h5::ChunkCache> chunks_;
};

}  // namespace ballast::storage
