#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "formats/huggingface/folder_weights.hpp"
#include "reference/model.hpp"

namespace ballast::test {

/// A folder of tests/fixtures/models.
inline std::filesystem::path fixture_model(const std::string& name) {
  return std::filesystem::path{BALLAST_FIXTURES} / "models" / name;
}

/// All of tests/fixtures/models.
inline std::vector<std::string> fixture_models() {
  return {"llama",           "llama-bias", "llama-linear", "llama-tied-rope3", "mistral",
          "mistral-window8", "qwen2",      "qwen3",        "qwen3-yarn"};
}

/// The name of a test about one of them.
inline std::string test_name(std::string model) {
  for (char& letter : model) {
    if (letter == '-') letter = '_';
  }
  return model;
}

/// One tensor of a source, without its padding.
inline std::vector<float> read_tensor(model::WeightSource& source,
                                      const model::ParameterInfo& tensor) {
  std::vector<float> values(padded_numel(tensor.numel));
  source.read(tensor, {0, tensor.granules()}, values);
  values.resize(tensor.numel);
  return values;
}

/// All weights of a folder, by our names.
inline reference::Parameters<double> read_weights(const model::ParameterTable& table,
                                                  const std::filesystem::path& folder) {
  formats::HuggingFaceWeights weights{table, folder};
  reference::Parameters<double> all;
  for (const auto& row : table.parameters()) {
    const auto values = read_tensor(weights, row);
    all[row.name].assign(values.begin(), values.end());
  }
  return all;
}

}  // namespace ballast::test
