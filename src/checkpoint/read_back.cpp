#include "checkpoint/read_back.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/granule.hpp"
#include "checkpoint/granule_hashes.hpp"

namespace ballast::checkpoint {

ReadBack::ReadBack(const std::filesystem::path& path, const fsdp::ShardLayout& layout,
                   std::span<const Hash128> hashes)
    : path_{path}, file_{path}, layout_{&layout}, hashes_{hashes} {
  if (file_.rows() != rows_of(layout)) {
    throw data_error("'{}' read back differs from what was written, in its rows", path.string());
  }
  for (auto& values : values_) values.resize(kPieceGranules * kGranule);
}

void ReadBack::compare(std::size_t step) {
  for (const OwnedPiece& piece : pieces_of_step(*layout_, step)) {
    if (is_equal(piece)) continue;
    throw data_error("'{}' read back differs from what was written, in tensor '{}'", path_.string(),
                     layout_->table().parameters()[piece.parameter].name);
  }
}

bool ReadBack::is_equal(const OwnedPiece& piece) {
  const auto read = [&](Part part) {
    const std::size_t here = part_numel(file_.granules(part), piece.file_start, piece.granules);
    const auto room = std::span{values_[static_cast<std::size_t>(part)]}.first(here * kGranule);
    if (here > 0) file_.read(part, {piece.file_start, here}, room);
    return room;
  };
  const ShardTensors tensors{read(Part::master), read(Part::moment1), read(Part::moment2)};
  for (std::size_t i = 0; i < piece.granules; ++i) {
    const std::size_t counted = std::min(kGranule, piece.logical_numel - i * kGranule);
    if (granule_hash(tensors, i * kGranule, counted) != hashes_[piece.file_start + i]) return false;
  }
  return true;
}

}  // namespace ballast::checkpoint
