#include "formats/safetensors/folder_content.hpp"

#include <system_error>

#include "base/text.hpp"
#include "formats/safetensors/safetensors_index.hpp"

namespace ballast::formats {

namespace fs = std::filesystem;

namespace {

bool is_pickle(const std::string& name) {
  return name.starts_with("pytorch_model") || name.ends_with(".pt") || name.ends_with(".pth") ||
         name.ends_with(".ckpt");
}

/// Of several the one that is first by name, so that the message is always the same.
void note(std::string& noted, const std::string& name) {
  if (noted.empty() || name < noted) noted = name;
}

}  // namespace

FolderContent look_into(const fs::path& folder) {
  FolderContent content;
  std::error_code error;
  fs::directory_iterator entry{folder, error};
  while (!error && entry != fs::directory_iterator{}) {
    const std::string name = entry->path().filename().native();
    if (name == kSafetensorsName) {
      content.has_single = true;
    } else if (name == kSafetensorsIndexName) {
      content.has_index = true;
    } else if (name.ends_with(".safetensors")) {
      note(content.safetensors, name);
    } else if (is_pickle(name)) {
      note(content.pickle, name);
    } else if (name.ends_with(".gguf")) {
      note(content.gguf, name);
    }
    entry.increment(error);
  }
  if (error) {
    throw data_error("cannot read folder '{}': {}; name the folder of a model", folder.string(),
                     error.message());
  }
  return content;
}

Error no_weights(const fs::path& folder, const FolderContent& content) {
  const std::string where = folder.string();
  if (!content.safetensors.empty()) {
    return data_error(
        "'{}' holds '{}', but neither '{}' nor '{}': get the index of the files, too, or give the "
        "only file that name",
        where, excerpt(content.safetensors), kSafetensorsName, kSafetensorsIndexName);
  }
  if (!content.pickle.empty()) {
    return data_error(
        "'{}' holds weights as '{}' alone, which may run any program when it is read: get the "
        "model as safetensors, or convert it where you trust it",
        where, excerpt(content.pickle));
  }
  if (!content.gguf.empty()) {
    return data_error(
        "'{}' holds weights as '{}' alone, which is no part of a Hugging Face folder: get the "
        "folder with '{}' that it was made from",
        where, excerpt(content.gguf), kSafetensorsName);
  }
  return data_error("'{}' holds no weights: name a folder with '{}', or with '{}' and its files",
                    where, kSafetensorsName, kSafetensorsIndexName);
}

}  // namespace ballast::formats
