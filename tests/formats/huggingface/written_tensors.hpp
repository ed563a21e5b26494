#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "formats/huggingface/tensor_names.hpp"
#include "formats/safetensors/made_up.hpp"
#include "formats/safetensors/safetensors_writer.hpp"
#include "model/parameters.hpp"

namespace ballast::test {

/// A model whose embedding fills two granules and a part of a third.
inline model::ModelConfig small_model() {
  model::ModelConfig config;
  config.vocabulary = 70;
  config.dim = 32;
  config.layers = 2;
  config.ffn = 40;
  return config;
}

/// Tensors that are written as a folder of one file.
class WrittenTensors {
 public:
  explicit WrittenTensors(const model::ParameterTable& table) {
    const formats::HuggingFaceNames names{table};
    for (const auto& row : table.parameters()) add(names.of(row.name), row.shape);
  }
  void add(const std::string& name, const std::vector<std::size_t>& shape) {
    erase(name);
    shapes_.push_back({name, {shape.begin(), shape.end()}});
  }
  void erase(const std::string& name) {
    std::erase_if(shapes_, [&](const formats::NamedShape& tensor) { return tensor.name == name; });
  }
  /// Each tensor's values follow from its name, but one may have those of another.
  void write(const std::filesystem::path& folder, const std::string& copy = "",
             const std::string& of = "") const {
    const formats::SafetensorsPlan plan{shapes_, ElementType::fp32, std::uint64_t{1} << 40};
    formats::create_safetensors(plan, folder);
    formats::SafetensorsWriter writer{plan, folder};
    for (const auto& [name, shape] : shapes_) {
      std::size_t numel = 1;
      for (const auto extent : shape) numel *= extent;
      writer.write(name, 0, values_of(name == copy ? of : name, numel));
    }
    writer.finish();
  }
  static std::vector<float> values_of(const std::string& name, std::size_t numel) {
    std::uint32_t seed = 0;
    for (const char letter : name) seed = seed * 31 + static_cast<std::uint8_t>(letter);
    return some_values(numel, seed);
  }

 private:
  std::vector<formats::NamedShape> shapes_;
};

}  // namespace ballast::test
