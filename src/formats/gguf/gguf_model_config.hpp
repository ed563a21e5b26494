#pragma once

#include <cstdint>
#include <optional>

#include "formats/gguf/gguf_architecture.hpp"
#include "formats/gguf/gguf_file.hpp"
#include "model/model_config.hpp"

namespace ballast::formats {

/// What a GGUF file says of a model.
struct GgufModel {
  const GgufArchitecture* architecture = nullptr;
  model::ModelConfig model;
  std::optional<std::int32_t> bos{}, eos{}, pad{};  ///< as the file's tokenizer has them
};

/// Reads what llama.cpp reads of the metadata, and from the tensors which of them the model has: a
/// head, biases, own frequencies. A data Error names the file and the key that is missing, wrong,
/// or asks for something that Ballast does not compute; one of an unknown architecture lists the
/// known ones.
[[nodiscard]] GgufModel read_gguf_model(const GgufFile& file);

/// All keys that llama.cpp asks for, but those of a tokenizer; general.architecture comes first.
/// Usage Errors as gguf_architecture_of has them.
[[nodiscard]] GgufMetadata gguf_model_keys(const model::ModelConfig& model);

}  // namespace ballast::formats
