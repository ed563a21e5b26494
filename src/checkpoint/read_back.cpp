#include "checkpoint/read_back.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "base/error.hpp"
#include "base/granule.hpp"
#include "checkpoint/granule_hashes.hpp"
#include "checkpoint/shard_file.hpp"

namespace ballast::checkpoint {

namespace {

/// Room for a piece of each part.
class PieceBuffer {
 public:
  /// The first `granules` granules of a part's room.
  [[nodiscard]] std::span<float> room(Part part, std::size_t granules) {
    return std::span{values_[static_cast<std::size_t>(part)]}.first(granules * kGranule);
  }
  [[nodiscard]] ShardTensors tensors(std::size_t granules) {
    return {room(Part::master, granules), room(Part::moment1, granules),
            room(Part::moment2, granules)};
  }

 private:
  using Values = std::vector<float>;
  std::array<Values, kParts.size()> values_{Values(kPieceGranules * kGranule),
                                            Values(kPieceGranules* kGranule),
                                            Values(kPieceGranules* kGranule)};
};

/// `start`: the segment's first granule within the file.
bool is_equal(const ShardFile& file, const fsdp::ShardSegment& segment, std::size_t start,
              std::span<const Hash128> hashes, PieceBuffer& buffer) {
  for (std::size_t done = 0; done < segment.granules.count; done += kPieceGranules) {
    const std::size_t count = std::min(kPieceGranules, segment.granules.count - done);
    const ShardTensors piece = buffer.tensors(count);
    for (const Part part : kParts) file.read(part, {start + done, count}, buffer.room(part, count));
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t numel = std::min(kGranule, segment.logical_numel - (done + i) * kGranule);
      if (granule_hash(piece, i * kGranule, numel) != hashes[start + done + i]) return false;
    }
  }
  return true;
}

}  // namespace

void verify_read_back(const std::filesystem::path& path, const fsdp::ShardLayout& layout,
                      std::span<const Hash128> hashes) {
  const ShardFile file{path};
  if (file.rows() != rows_of(layout)) {
    throw data_error("'{}' read back differs from what was written, in its rows", path.string());
  }
  PieceBuffer buffer;
  std::size_t start = 0;
  for (const auto& segment : layout.owned_segments()) {
    if (!is_equal(file, segment, start, hashes, buffer)) {
      throw data_error("'{}' read back differs from what was written, in tensor '{}'",
                       path.string(), layout.table().parameters()[segment.parameter].name);
    }
    start += segment.granules.count;
  }
}

}  // namespace ballast::checkpoint
