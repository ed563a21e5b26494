#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

#include "formats/gguf/gguf_architecture.hpp"
#include "formats/gguf/gguf_file.hpp"
#include "model/parameters.hpp"
#include "model/weight_source.hpp"

namespace ballast::formats {

/// The weights of a GGUF file, as a model's tensors: blocks become numbers, and rows that rotate
/// with their neighbors stand again as they do here.
class GgufWeights final : public model::WeightSource {
 public:
  /// A data Error lists the tensors that the model has and the file lacks, those that only the file
  /// has, and those of other shapes: the first few and how many. `table`, of the file's model, must
  /// outlive this.
  GgufWeights(const model::ParameterTable& table, const std::filesystem::path& path);

  /// From any process, in any order.
  void read(const model::ParameterInfo& tensor, GranuleRange range, std::span<float> out) override;
  [[nodiscard]] const GgufFile& file() const { return file_; }

 private:
  GgufFile file_;
  const GgufArchitecture* architecture_;
  std::size_t head_dim_;
  float gain_offset_;  ///< what the file's gains of norms are more than ours
};

}  // namespace ballast::formats
