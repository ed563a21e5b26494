#include "checkpoint/shard_file.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace ballast::checkpoint {

namespace {

constexpr const char* kRows = "rows";
constexpr const char* kVersion = "format_version";
constexpr const char* kGranuleSize = "granule";
constexpr std::size_t kRowWords = 3;
/// Headers and rows of a file, generously.
constexpr std::uint64_t kOverheadBytes = 16 * 1024;

std::string dataset_of(Part part) {
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

std::vector<std::uint64_t> row_words(const fsdp::ShardLayout& layout) {
  std::vector<std::uint64_t> words;
  for (const Row& row : rows_of(layout)) {
    words.insert(words.end(), {row.tensor, row.first_granule, row.granules});
  }
  return words;
}

void require_equal(const storage::H5File& file, const char* attribute, std::uint64_t expected) {
  const std::uint64_t found = file.number_attribute(attribute);
  if (found != expected) {
    throw data_error("'{}' has {} {}; this build reads {}", file.path().string(), attribute, found,
                     expected);
  }
}

std::vector<Row> read_rows(const storage::H5File& file) {
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

/// Writes the owned run of one part, piece by piece: neither the pieces of the flat shard nor the
/// masters need to lie side by side.
void write_owned(storage::H5File& file, const fsdp::ShardLayout& layout,
                 const ShardTensors& tensors, Part part) {
  std::vector<float> piece(kPieceGranules * kGranule);
  file.reserve<float>(dataset_of(part), layout.owned_granules(layout.rank()) * kGranule);
  std::size_t written = 0;
  for (const auto& segment : layout.owned_segments()) {
    for (std::size_t done = 0; done < segment.granules.numel(); done += piece.size()) {
      const auto values =
          std::span{piece}.first(std::min(piece.size(), segment.granules.numel() - done));
      read_part(tensors, part, segment.local_offset + done, values);
      file.write_at<float>(dataset_of(part), written, values);
      written += values.size();
    }
  }
}

}  // namespace

void read_part(const ShardTensors& tensors, Part part, std::size_t offset, std::span<float> out) {
  if (part == Part::master) return tensors.master.read(offset, out);
  std::ranges::copy(moment(tensors, part).subspan(offset, out.size()), out.begin());
}

void write_part(const ShardTensors& tensors, Part part, std::size_t offset,
                std::span<const float> values) {
  if (part == Part::master) return tensors.master.write(offset, values);
  std::ranges::copy(values, moment(tensors, part).subspan(offset, values.size()).begin());
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

std::uint64_t shard_file_bytes(std::size_t granules) {
  return granules * kGranule * sizeof(float) * kParts.size() + kOverheadBytes;
}

void write_shard_file(const std::filesystem::path& path, const fsdp::ShardLayout& layout,
                      const ShardTensors& tensors, const TrainingState& state) {
  auto file = storage::H5File::create(path);
  file.set_attribute(kVersion, Manifest::kFormatVersion);
  file.set_attribute(kGranuleSize, std::uint64_t{kGranule});
  file.set_attribute("rank", std::uint64_t{layout.rank()});
  file.set_attribute("writers", std::uint64_t{layout.ranks()});
  file.set_attribute("step", state.step);
  file.write<std::uint64_t>(kRows, row_words(layout));
  for (const Part part : kParts) write_owned(file, layout, tensors, part);
  file.close();
}

ShardFile::ShardFile(const std::filesystem::path& path) : file_{storage::H5File::open(path)} {
  require_equal(file_, kVersion, Manifest::kFormatVersion);
  require_equal(file_, kGranuleSize, kGranule);
  rows_ = read_rows(file_);
  const std::size_t stored = file_.size(dataset_of(Part::master)) / kGranule;
  for (const Row& row : rows_) {
    if (row.granules > stored - granules_) {
      throw data_error("'{}' holds {} granules, fewer than its rows claim", path.string(), stored);
    }
    granules_ += row.granules;
  }
  for (const Part part : kParts) {
    const std::size_t size = file_.size(dataset_of(part));
    if (size != granules_ * kGranule) {
      throw data_error("dataset '{}' of '{}' has {} elements; its rows claim {}", dataset_of(part),
                       path.string(), size, granules_ * kGranule);
    }
  }
}

void ShardFile::read(Part part, GranuleRange range, std::span<float> out) const {
  file_.read<float>(dataset_of(part), range.first_element(), out);
}

}  // namespace ballast::checkpoint
