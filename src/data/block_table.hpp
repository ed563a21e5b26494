#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/hash.hpp"
#include "storage/h5/reader.hpp"
#include "storage/h5/writer.hpp"

namespace ballast::data {

/// Elements that a growing dataset of the file is stored in at a time.
inline constexpr std::size_t kChunk = std::size_t{64} << 10;

/// Hashes of what the file stores of one dataset, a block of 1 MiB of its values at a time, so that
/// blocks are checked by any process in any order. The stored bytes are hashed, not the values:
/// unpacking takes many times as long as reading, and damage shows in either.
class BlockTable {
 public:
  static constexpr std::size_t kBytes = std::size_t{1} << 20;

  /// Reads the whole dataset.
  static BlockTable compute(const storage::H5Reader& file, const std::string& dataset);
  /// What `write` left in the file; a data Error if there are not as many hashes as blocks.
  static BlockTable read(const storage::H5Reader& file, const std::string& dataset);
  void write(storage::H5Writer& file) const;

  [[nodiscard]] std::size_t blocks() const { return hashes_.size() / 2; }
  /// The block that holds an element.
  [[nodiscard]] std::size_t block_of(std::uint64_t element) const { return element / in_block_; }
  [[nodiscard]] Hash128 hash() const;
  /// A data Error that names dataset, block and elements where the file holds something else.
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
