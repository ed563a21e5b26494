#pragma once

#include <filesystem>
#include <span>

#include "formats/safetensors/safetensors_folder.hpp"
#include "model/parameters.hpp"
#include "model/weight_source.hpp"

namespace ballast::formats {

/// The weights of a Hugging Face folder, as a model's tensors.
class HuggingFaceWeights final : public model::WeightSource {
 public:
  /// A data Error lists the tensors that the model has and the folder lacks, those that only the
  /// folder has, and those of other shapes: the first few and how many. `table` must outlive this.
  HuggingFaceWeights(const model::ParameterTable& table, const std::filesystem::path& folder);

  /// From any process, in any order.
  void read(const model::ParameterInfo& tensor, GranuleRange range, std::span<float> out) override;
  [[nodiscard]] const SafetensorsFolder& folder() const { return folder_; }

 private:
  void require_tied(const model::ParameterInfo& embedding, std::size_t first,
                    std::span<const float> values) const;

  SafetensorsFolder folder_;
  bool has_spare_head_;  ///< a head beside an embedding that is the head: both must be equal
};

}  // namespace ballast::formats
