#pragma once

#include <filesystem>
#include <span>

#include "formats/huggingface/tensor_names.hpp"
#include "formats/safetensors/safetensors_writer.hpp"
#include "model/parameters.hpp"
#include "model/weight_source.hpp"

namespace ballast::formats {

/// Which file of a Hugging Face folder each tensor of a model goes to, and where in it. most_bytes:
/// of the tensors of one file.
[[nodiscard]] SafetensorsPlan plan_huggingface_weights(const model::ParameterTable& table,
                                                       ElementType type, std::uint64_t most_bytes);

/// The weights of a Hugging Face folder that is being written, by any number of processes.
class HuggingFaceSink final : public model::WeightSink {
 public:
  /// `plan`, of this table, must outlive this; its files were made by create_safetensors.
  HuggingFaceSink(const model::ParameterTable& table, const SafetensorsPlan& plan,
                  const std::filesystem::path& folder)
      : names_{table}, writer_{plan, folder} {}

  void write(const model::ParameterInfo& tensor, GranuleRange range,
             std::span<const float> values) override;
  /// What was written is on the disk when this returns.
  void finish() { writer_.finish(); }
  /// Elements written; over all processes these must come to plan.total_parameters().
  [[nodiscard]] std::uint64_t written() const { return writer_.written(); }

 private:
  HuggingFaceNames names_;
  SafetensorsWriter writer_;
};

}  // namespace ballast::formats
