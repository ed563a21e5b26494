#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "formats/huggingface/special_tokens.hpp"
#include "model/model_config.hpp"

namespace ballast::formats {

/// What config.json of a Hugging Face folder says of a model.
struct HuggingFaceConfig {
  std::string model_type;  ///< "llama", "qwen3", …
  model::ModelConfig model;
  SpecialTokens special{};
  std::vector<std::string> ignored{};  ///< keys that ask for what Ballast does not do: a line each
};

/// Reads config.json as transformers does, in the spelling of its version 4 or 5, with each
/// family's own defaults. A data Error names the file and the key that is missing, wrong, or asks
/// for something that Ballast does not compute; one of an unknown family lists the known ones.
[[nodiscard]] HuggingFaceConfig read_huggingface_config(const std::filesystem::path& folder);
/// The same of the file's text; `file` is for messages.
[[nodiscard]] HuggingFaceConfig parse_huggingface_config(std::string_view text,
                                                         const std::filesystem::path& file);

/// The text of a config.json that transformers 4 and 5 read alike. dtype: "float32", "bfloat16" or
/// "float16", of the weights beside it. A usage Error names the key of a model that no family of
/// transformers computes.
[[nodiscard]] std::string huggingface_config_json(const HuggingFaceConfig& config,
                                                  std::string_view dtype);

}  // namespace ballast::formats
