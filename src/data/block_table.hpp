#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/hash.hpp"
#include "storage/h5/reader.hpp"
#include "storage/h5/writer.hpp"

namespace ballast::data {

/// Elements in one chunk of a growing dataset of the file.
inline constexpr std::size_t kChunk = std::size_t{64} << 10;

/// Hashes of the stored bytes of one dataset, one for each block of 1 MiB of its values, so that
/// any process can check blocks in any order. The stored bytes are hashed, not the values:
/// unpacking takes many times as long as reading, and either shows damage.
class BlockTable {
 public:
  static constexpr std::size_t kBytes = std::size_t{1} << 20;

  /// Reads the whole dataset.
  static BlockTable compute(const storage::H5Reader& file, const std::string& dataset);
  /// The table that `write` stored; a data Error if there are not as many hashes as blocks.
  static BlockTable read(const storage::H5Reader& file, const std::string& dataset);
  void write(storage::H5Writer& file) const;

  [[nodiscard]] std::size_t blocks() const { return hashes_.size() / 2; }
  /// The block that holds an element.
  [[nodiscard]] std::size_t block_of(std::uint64_t element) const { return element / in_block_; }
  [[nodiscard]] Hash128 hash() const;
  /// Throws a data Error that names dataset, block and elements if the file holds something else.
  void verify(const storage::H5Reader& file, std::size_t block) const;

 private:
  BlockTable(const storage::H5Reader& file, std::string dataset);
  [[nodiscard]] Hash128 hash_stored(const storage::H5Reader& file, std::size_t block) const;

  std::string dataset_;
  std::uint64_t elements_ = 0;
  std::uint64_t in_block_ = kChunk;    ///< elements in a block: whole chunks
  std::vector<std::uint64_t> hashes_;  ///< high and low of each block
};

}  // namespace ballast::data
