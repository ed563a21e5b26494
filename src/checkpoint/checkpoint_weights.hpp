#pragma once

#include <filesystem>
#include <map>
#include <vector>

#include "checkpoint/check.hpp"
#include "checkpoint/extents.hpp"
#include "checkpoint/load_weights.hpp"

namespace ballast::checkpoint {

/// The weights alone of a checkpoint of ours: neither moments nor the state are read.
class CheckpointWeights final : public model::WeightSource {
 public:
  /// A data Error lists the differences between its tensors and the model's. `table` must outlive
  /// this.
  CheckpointWeights(const model::ParameterTable& table, const Checked& checkpoint);

  void read(const model::ParameterInfo& tensor, GranuleRange range, std::span<float> out) override;

 private:
  const ShardFile& file(std::size_t index);

  std::vector<std::filesystem::path> paths_;
  ExtentMap map_;
  std::map<std::size_t, ShardFile> open_;  ///< by index; some stay open for later reads
};

/// Checks a checkpoint in one process, as `check` does on all ranks of a job.
[[nodiscard]] Checked check_alone(const std::filesystem::path& folder);

}  // namespace ballast::checkpoint
