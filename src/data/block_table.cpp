#include "data/block_table.hpp"

#include <algorithm>
#include <span>

#include "base/error.hpp"

namespace ballast::data {

namespace {

constexpr storage::H5Layout kTableLayout{.chunk = kChunk, .deflate = 0};

std::string table_of(const std::string& dataset) { return "blocks/" + dataset; }

}  // namespace

BlockTable::BlockTable(const storage::H5Reader& file, std::string dataset)
    : dataset_{std::move(dataset)}, elements_{file.size(dataset_)} {
  const std::size_t bytes = std::max<std::size_t>(file.element_size(dataset_), 1);
  in_block_ = std::max<std::uint64_t>(kBytes / bytes / kChunk, 1) * kChunk;
}

BlockTable BlockTable::compute(const storage::H5Reader& file, const std::string& dataset) {
  BlockTable table{file, dataset};
  for (std::size_t block = 0; block * table.in_block_ < table.elements_; ++block) {
    const Hash128 hash = table.hash_stored(file, block);
    table.hashes_.insert(table.hashes_.end(), {hash.high, hash.low});
  }
  return table;
}

BlockTable BlockTable::read(const storage::H5Reader& file, const std::string& dataset) {
  BlockTable table{file, dataset};
  const std::string name = table_of(dataset);
  const std::uint64_t blocks = (table.elements_ + table.in_block_ - 1) / table.in_block_;
  if (const std::size_t found = file.size(name); found != 2 * blocks) {
    throw data_error("'{}' is damaged: '{}' has {} elements where {} blocks of '{}' need {}",
                     file.path().string(), name, found, blocks, dataset, 2 * blocks);
  }
  table.hashes_ = file.read_all<std::uint64_t>(name);
  return table;
}

void BlockTable::write(storage::H5Writer& file) const {
  file.write<std::uint64_t>(table_of(dataset_), hashes_, kTableLayout);
}

Hash128 BlockTable::hash() const { return hash_of(std::span{hashes_}); }

Hash128 BlockTable::hash_stored(const storage::H5Reader& file, std::size_t block) const {
  const std::uint64_t begin = block * in_block_;
  const std::uint64_t end = std::min(begin + in_block_, elements_);
  Hasher hasher;
  storage::H5Reader::StoredChunk chunk;
  for (std::uint64_t first = begin; first < end; first += kChunk) {
    file.read_stored_chunk(dataset_, first, chunk);
    hasher.update(std::as_bytes(std::span{&chunk.filter_mask, 1}));
    hasher.update(std::as_bytes(std::span{chunk.bytes}));
  }
  return hasher.digest();
}

void BlockTable::verify(const storage::H5Reader& file, std::size_t block) const {
  if (hash_stored(file, block) == Hash128{hashes_[2 * block], hashes_[2 * block + 1]}) return;
  const std::uint64_t begin = block * in_block_;
  throw data_error(
      "'{}' is damaged or was changed since it was prepared: block {} of {} of '{}' (elements {} "
      "to "
      "{}) is not what was written; copy the file again, or prepare it anew",
      file.path().string(), block, blocks(), dataset_, begin,
      std::min(begin + in_block_, elements_) - 1);
}

}  // namespace ballast::data
