#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "base/error.hpp"
#include "base/narrow.hpp"
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

Manifest read_manifest(const std::filesystem::path& folder, const model::ParameterTable& table) {
  Manifest manifest = Manifest::read(folder);
  require_same_tensors(manifest, table, folder);
  return manifest;
}

/// Size and hash against the manifest, before anything of the file is believed.
void check_file(const std::filesystem::path& path, const FileEntry& entry) {
  refuse_link(path);
  std::error_code error;
  const std::uint64_t bytes = std::filesystem::file_size(path, error);
  if (error == std::errc::no_such_file_or_directory) {
    throw data_error("checkpoint file '{}' is missing: restore it, or use another checkpoint",
                     path.string());
  }
  if (error) throw data_error("cannot read '{}': {}", path.string(), error.message());
  if (bytes != entry.bytes) {
    throw data_error(
        "checkpoint file '{}' has {} bytes, its manifest says {}: it is damaged; use "
        "another checkpoint",
        path.string(), bytes, entry.bytes);
  }
  if (storage::hash_file(path) != entry.hash) {
    throw data_error(
        "checkpoint file '{}' was altered: its hash is not the manifest's; use "
        "another checkpoint",
        path.string());
  }
}

std::vector<Row> checked_rows(const std::filesystem::path& path, const FileEntry& entry) {
  check_file(path, entry);
  return ShardFile{path}.rows();
}

/// The rows of the files that this rank has checked, as bytes for the others.
std::string encode(std::span<const std::vector<Row>> rows) {
  std::string bytes;
  const auto append = [&](const void* data, std::size_t size) {
    bytes.append(static_cast<const char*>(data), size);
  };
  for (const auto& of_file : rows) {
    const std::uint64_t count = of_file.size();
    append(&count, sizeof(count));
    append(of_file.data(), of_file.size() * sizeof(Row));
  }
  return bytes;
}

/// Takes the next file's rows off the front.
std::vector<Row> decode(std::string_view& bytes) {
  std::uint64_t count = 0;
  std::memcpy(&count, bytes.data(), sizeof(count));
  bytes.remove_prefix(sizeof(count));
  std::vector<Row> rows(count);
  if (count > 0) std::memcpy(rows.data(), bytes.data(), count * sizeof(Row));
  bytes.remove_prefix(count * sizeof(Row));
  return rows;
}

/// Checks every file, file i on rank i mod N, and returns the rows of all.
std::vector<std::vector<Row>> check_files(comm::Communicator& world, const Manifest& manifest,
                                          std::span<const std::filesystem::path> paths) {
  const auto ranks = narrow<std::size_t>(world.size());
  const auto own = comm::agree_on<std::vector<std::vector<Row>>>(world, "checkpoint files", [&] {
    std::vector<std::vector<Row>> rows;
    for (auto file = narrow<std::size_t>(world.rank()); file < paths.size(); file += ranks) {
      rows.push_back(checked_rows(paths[file], manifest.files[file]));
    }
    return rows;
  });
  const auto texts = world.gather_texts(encode(own), {"checkpoint", "rows of the files"});
  std::vector<std::string_view> left{texts.begin(), texts.end()};
  std::vector<std::vector<Row>> rows;
  for (std::size_t file = 0; file < paths.size(); ++file) {
    rows.push_back(decode(left[file % ranks]));
  }
  return rows;
}

/// Appends what fills the destination from element `offset` on with the granules `wanted`.
void append_pieces(const ExtentMap& map, GranuleRange wanted, std::size_t offset,
                   std::vector<Piece>& pieces) {
  for (const Extent& extent : map.find(wanted)) {
    pieces.push_back({extent.file,
                      {extent.file_start, extent.granules.count},
                      offset + (extent.granules.first - wanted.first) * kGranule});
  }
}

std::vector<Piece> shard_pieces(const ExtentMap& map, const fsdp::ShardLayout& layout) {
  std::vector<Piece> pieces;
  for (model::UnitId unit = 0; unit < layout.table().units().size(); ++unit) {
    const GranuleRange held = layout.held(unit);
    const std::size_t start = layout.table().unit(unit).first_granule;
    append_pieces(map, {start + held.first, held.count}, layout.held_offset(unit), pieces);
  }
  return pieces;
}

void read_piece(const ShardFile& file, Part part, const Piece& piece, std::span<float> buffer,
                const ShardTensors& out) {
  const std::size_t most = buffer.size() / kGranule;
  for (std::size_t done = 0; done < piece.in_file.count; done += most) {
    const GranuleRange range{piece.in_file.first + done,
                             std::min(most, piece.in_file.count - done)};
    const auto values = buffer.first(range.numel());
    file.read(part, range, values);
    write_part(out, part, piece.offset + done * kGranule, values);
  }
}

/// Reads the pieces, opening each file once.
void read_pieces(std::vector<Piece> pieces, std::span<const std::filesystem::path> paths,
                 std::span<const Part> parts, const ShardTensors& out) {
  std::ranges::stable_sort(pieces, {}, &Piece::file);
  std::optional<ShardFile> file;
  std::vector<float> values(kPieceGranules * kGranule);
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const Piece& piece = pieces[i];
    if (i == 0 || piece.file != pieces[i - 1].file) file.emplace(paths[piece.file]);
    for (const Part part : parts) {
      read_piece(*file, part, piece, values, out);
    }
  }
}

}  // namespace

Manifest load(comm::Communicator& world, const fsdp::ShardLayout& layout,
              const std::filesystem::path& folder, const ShardTensors& tensors) {
  require_fit(world, layout, tensors);
  Manifest manifest = comm::agree_on<Manifest>(
      world, "checkpoint manifest", [&] { return read_manifest(folder, layout.table()); });
  const auto paths = paths_of(manifest, folder);
  const auto rows = check_files(world, manifest, paths);
  comm::agree(world, "checkpoint tensors", [&] {
    const ExtentMap map{layout.table(), rows, paths};
    read_pieces(shard_pieces(map, layout), paths, kParts, tensors);
  });
  const Hash128 hash = state_hash(world, layout, tensors, manifest.state);
  if (hash != manifest.state_hash) {
    throw data_error("checkpoint '{}' read back has the state hash {}, its manifest says {}",
                     folder.string(), hash.hex(), manifest.state_hash.hex());
  }
  return manifest;
}

Manifest load_weights(const model::ParameterTable& table, const std::filesystem::path& folder,
                      std::span<float> weights) {
  if (weights.size() != table.total_granules() * kGranule) {
    throw internal_error("checkpoint: {} elements for {} granules of weights", weights.size(),
                         table.total_granules());
  }
  Manifest manifest = read_manifest(folder, table);
  const auto paths = paths_of(manifest, folder);
  std::vector<std::vector<Row>> rows;
  for (std::size_t file = 0; file < paths.size(); ++file) {
    rows.push_back(checked_rows(paths[file], manifest.files[file]));
  }
  std::vector<Piece> pieces;
  append_pieces(ExtentMap{table, rows, paths}, {0, table.total_granules()}, 0, pieces);
  read_pieces(std::move(pieces), paths, std::array{Part::master}, {weights, {}, {}});
  return manifest;
}

void verify_files(const Manifest& manifest, const std::filesystem::path& folder) {
  for (const FileEntry& file : manifest.files) check_file(folder / file.name, file);
}

}  // namespace ballast::checkpoint
