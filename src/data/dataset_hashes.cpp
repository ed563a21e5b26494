#include <span>

#include "base/error.hpp"
#include "base/hash.hpp"
#include "data/dataset.hpp"
#include "data/dataset_header.hpp"
#include "data/dataset_names.hpp"

// What a dataset of format 2 is held against.
namespace ballast::data {

void Dataset::read_tables() {
  for (const Split split : {Split::train, Split::validation}) {
    for (const char* column : {"tokens", "weights"}) {
      const std::string name = part_of(split, column);
      if (!file_.contains(name)) continue;
      hashed_.push_back({name, BlockTable::read(file_, name)});
      hashed_.back().is_verified.resize(hashed_.back().table.blocks());
    }
  }
}

void Dataset::check_header() const {
  const auto text = file_.read_all<std::uint8_t>(kHeader);
  std::vector<HeaderPart> parts;
  for (const HashedColumn& column : hashed_) parts.push_back({column.name, column.table.hash()});
  for (const Split split : {Split::train, Split::validation}) {
    parts.push_back({part_of(split, "segments"), hash_of(segments(split))});
    parts.push_back({part_of(split, "documents"), hash_of(documents(split))});
  }
  parts.push_back({kPieceBytes, hash_of(piece_bytes())});
  parts.push_back({kTokenizerModel, hash_of<std::uint8_t>(tokenizer_model())});
  require_same_header(file_, {text.begin(), text.end()}, describe_header(file_, parts));
}

std::size_t Dataset::blocks() const {
  std::size_t count = 0;
  for (const HashedColumn& column : hashed_) count += column.table.blocks();
  return count;
}

void Dataset::verify_block(std::size_t block) const {
  for (const HashedColumn& column : hashed_) {
    if (block < column.table.blocks()) return verify_once(column, block);
    block -= column.table.blocks();
  }
  throw internal_error("block {} beyond the last was asked for", block);
}

void Dataset::verify_once(const HashedColumn& column, std::size_t block) const {
  if (column.is_verified[block]) return;
  column.table.verify(file_, block);
  column.is_verified[block] = true;
}

void Dataset::trust_blocks() const {
  for (const HashedColumn& column : hashed_) {
    column.is_verified.assign(column.table.blocks(), true);
  }
}

}  // namespace ballast::data
