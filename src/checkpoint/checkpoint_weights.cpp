#include "checkpoint/checkpoint_weights.hpp"

#include <utility>

#include "checkpoint/tensor_list.hpp"

namespace ballast::checkpoint {

namespace {

constexpr std::size_t kMostOpenFiles = 16;

std::vector<std::filesystem::path> paths_of(const Checked& checkpoint) {
  std::vector<std::filesystem::path> paths;
  for (const auto& file : checkpoint.manifest.files) paths.push_back(checkpoint.folder / file.name);
  return paths;
}

const Checked& same_tensors(const model::ParameterTable& table, const Checked& checkpoint) {
  require_same_tensors(checkpoint.manifest, table, checkpoint.folder);
  return checkpoint;
}

}  // namespace

CheckpointWeights::CheckpointWeights(const model::ParameterTable& table, const Checked& checkpoint)
    : paths_{paths_of(same_tensors(table, checkpoint))}, map_{table, checkpoint.rows, paths_} {}

const ShardFile& CheckpointWeights::file(std::size_t index) {
  const auto found = open_.find(index);
  if (found != open_.end()) return found->second;
  if (open_.size() == kMostOpenFiles) open_.clear();
  return open_.emplace(index, ShardFile{paths_[index]}).first->second;
}

void CheckpointWeights::read(const model::ParameterInfo& tensor, GranuleRange range,
                             std::span<float> out) {
  const GranuleRange wanted{tensor.first_granule + range.first, range.count};
  for (const Extent& extent : map_.find(wanted)) {
    const std::size_t start = (extent.granules.first - wanted.first) * kGranule;
    file(extent.file)
        .read(Part::master, {extent.file_start, extent.granules.count},
              out.subspan(start, extent.granules.numel()));
  }
}

Checked check_alone(const std::filesystem::path& folder) {
  Checked checkpoint{folder, Manifest::read(folder), {}};
  verify_files(checkpoint.manifest, folder);
  for (const auto& path : paths_of(checkpoint)) {
    checkpoint.rows.push_back(ShardFile{path}.rows());
  }
  return checkpoint;
}

}  // namespace ballast::checkpoint
