#include "checkpoint/shard_file.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "storage/files.hpp"

namespace ballast::checkpoint {

namespace {

constexpr const char* kRows = "rows";
constexpr const char* kHashes = "granule_hashes";
constexpr const char* kVersion = "format_version";
constexpr const char* kGranuleSize = "granule";
constexpr const char* kTrainedRows = "trained_rows";
constexpr std::size_t kRowWords = 3;
/// From this version on tensors may be frozen.
constexpr std::uint64_t kVersionWithFrozen = 3;
/// Headers and rows of a file, generously.
constexpr std::uint64_t kOverheadBytes = std::uint64_t{16} << 10;

std::string dataset_of(Part part) { return std::string{name_of(part)}; }

std::vector<std::uint64_t> row_words(const fsdp::ShardLayout& layout) {
  std::vector<std::uint64_t> words;
  for (const Row& row : rows_of(layout)) {
    words.insert(words.end(), {row.tensor, row.first_granule, row.granules});
  }
  return words;
}

void require_equal(const storage::H5Reader& file, const char* attribute, std::uint64_t expected) {
  const std::uint64_t found = file.number_attribute(attribute);
  if (found != expected) {
    throw data_error("'{}' has {} {}; this build reads {}", file.path().string(), attribute, found,
                     expected);
  }
}

std::uint64_t require_known_version(const storage::H5Reader& file) {
  const std::uint64_t found = file.number_attribute(kVersion);
  if (found < Manifest::kOldestVersion || found > Manifest::kFormatVersion) {
    throw data_error("'{}' has {} {}; this build reads {} to {}", file.path().string(), kVersion,
                     found, Manifest::kOldestVersion, Manifest::kFormatVersion);
  }
  return found;
}

/// Granules of the first rows, whose tensors train: as many rows as the file says.
std::size_t trained_granules(const storage::H5Reader& file, std::span<const Row> rows) {
  const std::uint64_t trained = file.number_attribute(kTrainedRows);
  if (trained > rows.size()) {
    throw data_error("'{}' says that {} of its {} rows train", file.path().string(), trained,
                     rows.size());
  }
  std::size_t granules = 0;
  for (const Row& row : rows.first(trained)) granules += row.granules;
  return granules;
}

/// Granules of a part in a rank's file.
std::size_t part_granules_of(const fsdp::ShardLayout& layout, Part part) {
  return part == Part::master ? layout.owned_granules(layout.rank())
                              : layout.owned_trained_granules(layout.rank());
}

std::vector<Row> read_rows(const storage::H5Reader& file) {
  const auto words = file.read_all<std::uint64_t>(kRows);
  if (words.size() % kRowWords != 0) {
    throw data_error("dataset '{}' of '{}' has {} elements, not a multiple of {}", kRows,
                     file.path().string(), words.size(), kRowWords);
  }
  std::vector<Row> rows;
  for (std::size_t i = 0; i < words.size(); i += kRowWords) {
    rows.push_back({words[i], words[i + 1], words[i + 2]});
  }
  return rows;
}

std::span<float> moment(const ShardTensors& tensors, Part part) {
  return part == Part::moment1 ? tensors.moment1 : tensors.moment2;
}

std::vector<std::uint64_t> hash_words(std::span<const Hash128> hashes) {
  std::vector<std::uint64_t> words;
  words.reserve(2 * hashes.size());
  for (const Hash128& hash : hashes) words.insert(words.end(), {hash.high, hash.low});
  return words;
}

}  // namespace

std::string_view name_of(Part part) {
  switch (part) {
    case Part::master:
      return "master";
    case Part::moment1:
      return "moment1";
    case Part::moment2:
      return "moment2";
  }
  throw internal_error("no such part of a checkpoint");
}

void read_part(const ShardTensors& tensors, Part part, std::size_t offset, std::span<float> out) {
  if (part == Part::master) return tensors.master.read(offset, out);
  const std::size_t numel = part_numel(part_size(tensors, part), offset, out.size());
  if (numel > 0) std::ranges::copy(moment(tensors, part).subspan(offset, numel), out.begin());
}

void write_part(const ShardTensors& tensors, Part part, std::size_t offset,
                std::span<const float> values) {
  if (part == Part::master) return tensors.master.write(offset, values);
  const std::size_t numel = part_numel(part_size(tensors, part), offset, values.size());
  if (numel == 0) return;
  std::ranges::copy(values.first(numel), moment(tensors, part).subspan(offset, numel).begin());
}

std::size_t part_size(const ShardTensors& tensors, Part part) {
  return part == Part::master ? tensors.master.size() : moment(tensors, part).size();
}

std::vector<Row> rows_of(const fsdp::ShardLayout& layout) {
  std::vector<Row> rows;
  for (const auto& segment : layout.owned_segments()) {
    rows.push_back({segment.parameter, segment.granules.first, segment.granules.count});
  }
  return rows;
}

std::string shard_file_name(std::size_t rank, std::size_t writers) {
  return fmt::format("rank-{:05}-of-{:05}.h5", rank, writers);
}

std::uint64_t shard_file_bytes(std::size_t granules, std::size_t trained) {
  constexpr std::uint64_t kPartBytes = kGranule * sizeof(float);
  return granules * (kPartBytes + sizeof(Hash128)) + trained * kPartBytes * (kParts.size() - 1) +
         kOverheadBytes;
}

std::size_t steps_of_granules(std::size_t most_granules) {
  return std::max<std::size_t>(1, (most_granules + kStepGranules - 1) / kStepGranules);
}

std::size_t steps_of_bytes(std::uint64_t most_bytes) {
  return std::max<std::size_t>(1, (most_bytes + kStepBytes - 1) / kStepBytes);
}

std::vector<OwnedPiece> pieces_of_step(const fsdp::ShardLayout& layout, std::size_t step) {
  const GranuleRange wanted{step * kStepGranules, kStepGranules};
  std::vector<OwnedPiece> pieces;
  std::size_t start = 0;  // of the segment within the file
  for (const auto& segment : layout.owned_segments()) {
    const std::size_t end = std::min(start + segment.granules.count, wanted.end());
    for (std::size_t at = std::max(start, wanted.first); at < end;) {
      const std::size_t count = std::min(kPieceGranules, end - at);
      const std::size_t skipped = (at - start) * kGranule;
      pieces.push_back({segment.parameter, at, segment.local_offset + skipped, count,
                        std::min(count * kGranule, segment.logical_numel - skipped)});
      at += count;
    }
    start += segment.granules.count;
  }
  return pieces;
}

ShardWriter::ShardWriter(const std::filesystem::path& path, const fsdp::ShardLayout& layout,
                         const ShardTensors& tensors, const TrainingState& state,
                         std::span<const Hash128> hashes)
    : file_{path}, layout_{&layout}, tensors_{&tensors} {
  file_.set_attribute(kVersion, Manifest::kFormatVersion);
  file_.set_attribute(kGranuleSize, std::uint64_t{kGranule});
  file_.set_attribute("rank", std::uint64_t{layout.rank()});
  file_.set_attribute("writers", std::uint64_t{layout.ranks()});
  file_.set_attribute("step", state.step);
  file_.set_attribute(kTrainedRows, std::uint64_t{layout.trained_segments().size()});
  file_.write<std::uint64_t>(kRows, row_words(layout));
  file_.write<std::uint64_t>(kHashes, hash_words(hashes));
  for (const Part part : kParts) {
    file_.reserve<float>(dataset_of(part), part_granules_of(layout, part) * kGranule);
  }
}

void ShardWriter::write(std::size_t step) {
  const auto pieces = pieces_of_step(*layout_, step);
  std::vector<float> values(kPieceGranules * kGranule);
  for (const Part part : kParts) {
    const std::size_t granules = part_granules_of(*layout_, part);
    for (const OwnedPiece& piece : pieces) {
      const std::size_t here = part_numel(granules, piece.file_start, piece.granules);
      if (here == 0) continue;
      const auto room = std::span{values}.first(here * kGranule);
      read_part(*tensors_, part, piece.local_offset, room);
      file_.write_at<float>(dataset_of(part), piece.file_start * kGranule, room);
    }
  }
  if (!pieces.empty()) storage::sync_file(file_.path());
}

void ShardWriter::close() {
  file_.close();
  storage::sync_file(file_.path());
}

ShardFile::ShardFile(const std::filesystem::path& path) : file_{path} {
  const std::uint64_t version = require_known_version(file_);
  require_equal(file_, kGranuleSize, kGranule);
  rows_ = read_rows(file_);
  const std::size_t stored = file_.size(dataset_of(Part::master)) / kGranule;
  for (const Row& row : rows_) {
    if (row.granules > stored - granules_) {
      throw data_error("'{}' holds {} granules, fewer than its rows claim", path.string(), stored);
    }
    granules_ += row.granules;
  }
  trained_ = granules_;
  if (version >= kVersionWithFrozen) trained_ = trained_granules(file_, rows_);
  for (const Part part : kParts) {
    const std::size_t size = file_.size(dataset_of(part));
    if (size != granules(part) * kGranule) {
      throw data_error("dataset '{}' of '{}' has {} elements; its rows claim {}", dataset_of(part),
                       path.string(), size, granules(part) * kGranule);
    }
  }
}

std::vector<Hash128> ShardFile::hashes() const {
  if (!file_.contains(kHashes)) return {};
  const auto words = file_.read_all<std::uint64_t>(kHashes);
  if (words.size() != 2 * granules_) {
    throw data_error("dataset '{}' of '{}' has {} elements; its rows claim {} granules", kHashes,
                     file_.path().string(), words.size(), granules_);
  }
  std::vector<Hash128> hashes;
  for (std::size_t i = 0; i < words.size(); i += 2) hashes.push_back({words[i], words[i + 1]});
  return hashes;
}

void ShardFile::read(Part part, GranuleRange range, std::span<float> out) const {
  file_.read<float>(dataset_of(part), range.first_element(), out);
}

}  // namespace ballast::checkpoint
