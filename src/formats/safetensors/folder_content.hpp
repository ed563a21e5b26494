#pragma once

#include <filesystem>
#include <string>

#include "base/error.hpp"

namespace ballast::formats {

/// What a folder holds that may be the weights of a model: names of files, or nothing.
struct FolderContent {
  bool has_single = false;  ///< model.safetensors
  bool has_index = false;   ///< model.safetensors.index.json
  std::string safetensors;  ///< any other file in this format
  std::string pickle;       ///< weights as PyTorch pickles them
  std::string gguf;
};

/// Throws a data Error that names the folder if it cannot be read.
[[nodiscard]] FolderContent look_into(const std::filesystem::path& folder);

/// The error for a folder with neither model.safetensors nor an index.
[[nodiscard]] Error no_weights(const std::filesystem::path& folder, const FolderContent& content);

}  // namespace ballast::formats
