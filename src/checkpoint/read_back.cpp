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

/// Granules read at a time.
constexpr std::size_t kPieceGranules = 256;

/// Room for a piece of each part.
class PieceBuffer {
 public:
  /// The first `granules` granules of the room.
  [[nodiscard]] ShardTensors tensors(std::size_t granules) {
    const std::size_t numel = granules * kGranule;
    return {std::span{values_[0]}.first(numel), std::span{values_[1]}.first(numel),
            std::span{values_[2]}.first(numel)};
  }

 private:
  using Values = std::vector<float>;
  std::array<Values, kParts.size()> values_{Values(kPieceGranules * kGranule),
                                            Values(kPieceGranules* kGranule),
                                            Values(kPieceGranules* kGranule)};
};

bool is_equal(const ShardFile& file, const fsdp::ShardSegment& segment,
              std::span<const Hash128> hashes, PieceBuffer& buffer) {
  const std::size_t start = segment.local_offset / kGranule;
  for (std::size_t done = 0; done < segment.granules.count; done += kPieceGranules) {
    const std::size_t count = std::min(kPieceGranules, segment.granules.count - done);
    const ShardTensors piece = buffer.tensors(count);
    for (const Part part : kParts) file.read(part, {start + done, count}, part_of(piece, part));
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
  for (const auto& segment : layout.segments()) {
    if (!is_equal(file, segment, hashes, buffer)) {
      throw data_error("'{}' read back differs from what was written, in tensor '{}'",
                       path.string(), layout.table().parameters()[segment.parameter].name);
    }
  }
}

}  // namespace ballast::checkpoint
