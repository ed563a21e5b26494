#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/checked_cast.hpp"
#include "base/error.hpp"
#include "checkpoint/check.hpp"
#include "checkpoint/checkpoint.hpp"
#include "checkpoint/extents.hpp"
#include "checkpoint/granule_hashes.hpp"
#include "checkpoint/shard_file.hpp"
#include "checkpoint/tensor_list.hpp"
#include "comm/agree.hpp"
#include "storage/files.hpp"

namespace ballast::checkpoint {

namespace {

/// A run of granules of a file and where in the destination it goes.
struct Piece {
  std::size_t file;
  GranuleRange in_file;
  std::size_t offset;  ///< first element of the destination
};

std::vector<std::filesystem::path> paths_of(const Manifest& manifest,
                                            const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> paths;
  for (const auto& file : manifest.files) paths.push_back(folder / file.name);
  return paths;
}

/// Appends what fills the destination from element `offset` on with the granules `wanted`, cut into
/// runs that are read at a time.
void append_pieces(const ExtentMap& map, GranuleRange wanted, std::size_t offset,
                   std::vector<Piece>& pieces) {
  for (const Extent& extent : map.find(wanted)) {
    const std::size_t start = offset + (extent.granules.first - wanted.first) * kGranule;
    for (std::size_t done = 0; done < extent.granules.count; done += kPieceGranules) {
      pieces.push_back(
          {extent.file,
           {extent.file_start + done, std::min(kPieceGranules, extent.granules.count - done)},
           start + done * kGranule});
    }
  }
}

std::vector<Piece> shard_pieces(const ExtentMap& map, const fsdp::ShardLayout& layout) {
  std::vector<Piece> pieces;
  for (const fsdp::ShardSegment& segment : layout.held_segments()) {
    const std::size_t start = layout.table().parameters()[segment.parameter].first_granule;
    append_pieces(map, {start + segment.granules.first, segment.granules.count},
                  segment.local_offset, pieces);
  }
  return pieces;
}

/// Reads pieces of all parts, a step at a time, opening each file once.
class PieceReader {
 public:
  PieceReader(std::vector<Piece> pieces, std::vector<std::filesystem::path> paths)
      : pieces_{std::move(pieces)}, paths_{std::move(paths)} {
    std::ranges::stable_sort(pieces_, {}, &Piece::file);
  }

  [[nodiscard]] std::size_t steps() const {
    return (pieces_.size() + kPiecesAStep - 1) / kPiecesAStep;
  }
  void read(std::size_t step, const ShardTensors& out) {
    const std::size_t end = std::min(pieces_.size(), (step + 1) * kPiecesAStep);
    for (std::size_t i = step * kPiecesAStep; i < end; ++i) read_piece(pieces_[i], out);
  }

 private:
  static constexpr std::size_t kPiecesAStep = kStepGranules / kPieceGranules;

  void read_piece(const Piece& piece, const ShardTensors& out) {
    if (!file_ || piece.file != open_file_) file_.emplace(paths_[piece.file]);
    open_file_ = piece.file;
    const auto values = std::span{values_}.first(piece.in_file.numel());
    for (const Part part : kParts) {
      if (piece.offset >= part_size(out, part)) continue;  // frozen
      require_part(part, piece);
      file_->read(part, piece.in_file, values);
      write_part(out, part, piece.offset, values);
    }
  }

  void require_part(Part part, const Piece& piece) const {
    if (piece.in_file.end() <= file_->granules(part)) return;
    throw data_error("'{}' has no {} of a tensor that trains now but was frozen when it was saved",
                     paths_[piece.file].string(), name_of(part));
  }

  std::vector<Piece> pieces_;
  std::vector<std::filesystem::path> paths_;
  std::optional<ShardFile> file_;
  std::size_t open_file_ = 0;
  std::vector<float> values_ = std::vector<float>(kPieceGranules * kGranule);
};

}  // namespace

Manifest load(comm::Communicator& world, const fsdp::ShardLayout& layout, const Checked& checkpoint,
              const ShardTensors& tensors) {
  require_fit(world, layout, tensors);
  const std::filesystem::path& folder = checkpoint.folder;
  const Manifest& manifest = checkpoint.manifest;
  const auto paths = paths_of(manifest, folder);
  std::optional<PieceReader> reader;
  comm::agree(world, "checkpoint tensors", [&] {
    require_same_tensors(manifest, layout.table(), folder);
    reader.emplace(shard_pieces(ExtentMap{layout.table(), checkpoint.rows, paths}, layout), paths);
  });
  const auto own_steps = checked_cast<std::int64_t>(reader->steps());
  const auto steps = world.max(own_steps, {"checkpoint", "steps of reading"});
  comm::agree_stepwise(world, "checkpoint tensors", checked_cast<std::size_t>(steps),
                       [&](std::size_t step) { reader->read(step, tensors); });
  const Hash128 hash = state_hash(world, layout, tensors, manifest.state);
  if (hash != manifest.state_hash) {
    throw data_error("checkpoint '{}' read back has the state hash {}, its manifest says {}",
                     folder.string(), hash.hex(), manifest.state_hash.hex());
  }
  return manifest;
}

Manifest load(comm::Communicator& world, const fsdp::ShardLayout& layout,
              const std::filesystem::path& folder, const ShardTensors& tensors) {
  return load(world, layout, check(world, folder), tensors);
}

std::vector<std::uint8_t> tokenizer_model(const Manifest& manifest,
                                          const std::filesystem::path& folder) {
  if (!manifest.tokenizer) return {};
  const auto path = folder / manifest.tokenizer->name;
  const std::string bytes = storage::read_text(path);
  if (hash_of(std::span{bytes}) != manifest.tokenizer->hash) {
    throw data_error("checkpoint file '{}' was altered: its hash is not the manifest's",
                     path.string());
  }
  return {bytes.begin(), bytes.end()};
}

}  // namespace ballast::checkpoint
