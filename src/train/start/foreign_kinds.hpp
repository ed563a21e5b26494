#pragma once

#include <filesystem>
#include <memory>
#include <string_view>

#include "train/start/foreign_model.hpp"

// The kinds of foreign models that there are. For one process; data Errors name the file.
namespace ballast::train {

inline constexpr const char* kForeignConfigName = "config.json";

/// A Hugging Face folder. `config`: the text of its config.json.
[[nodiscard]] std::shared_ptr<const ForeignModel> read_folder_model(
    const std::filesystem::path& folder, std::string_view config);

/// A GGUF file.
[[nodiscard]] std::shared_ptr<const ForeignModel> read_gguf_model_file(
    const std::filesystem::path& path);

}  // namespace ballast::train
