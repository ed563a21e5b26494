#include "formats/safetensors/safetensors_folder.hpp"

#include <utility>

#include "base/error.hpp"
#include "base/text.hpp"
#include "formats/safetensors/folder_content.hpp"
#include "formats/safetensors/safetensors_index.hpp"
#include "storage/files.hpp"
#include "storage/folder_file.hpp"

namespace ballast::formats {

namespace {

namespace fs = std::filesystem;

/// A tensor is in the file that the map names.
void require_found(const fs::path& index, const std::string& tensor, const SafetensorsFile& file) {
  if (file.contains(tensor)) return;
  throw data_error("'{}' says that tensor '{}' is in '{}', where it is not; get both once more",
                   index.string(), excerpt(tensor), file.path().filename().string());
}

/// Every tensor of a file is one that the map says to be there.
void require_named(const fs::path& index, const WeightMap& map, const std::string& name,
                   const SafetensorsFile& file) {
  for (const auto& tensor : file.tensors()) {
    const auto found = map.find(tensor.name);
    if (found == map.end()) {
      throw data_error("'{}' holds tensor '{}', which '{}' does not name; get both once more",
                       file.path().string(), excerpt(tensor.name), index.string());
    }
    if (found->second != name) {
      throw data_error("'{}' holds tensor '{}', which '{}' says to be in '{}'; get all once more",
                       file.path().string(), excerpt(tensor.name), index.string(),
                       excerpt(found->second));
    }
  }
}

}  // namespace

SafetensorsFolder::SafetensorsFolder(fs::path folder) : folder_{std::move(folder)} {
  const FolderContent content = look_into(folder_);
  if (content.has_single) {
    open_single();
  } else if (content.has_index) {
    open_shards();
  } else {
    throw no_weights(folder_, content);
  }
}

void SafetensorsFolder::open_single() {
  storage::require_inside(folder_, kSafetensorsName);
  files_.emplace_back(folder_ / kSafetensorsName);
  for (const auto& tensor : files_.front().tensors()) file_of_.emplace(tensor.name, 0);
}

void SafetensorsFolder::open_shards() {
  storage::require_inside(folder_, kSafetensorsIndexName);
  const fs::path index = folder_ / kSafetensorsIndexName;
  const std::string text = storage::read_text(index);
  WeightMap map;
  try {
    map = parse_weight_map(text);
  } catch (const Error& error) {
    throw Error{error.code(),
                fmt::format("'{}': {}; get it once more", index.string(), error.what())};
  }
  std::map<std::string, std::size_t> places;
  for (const auto& [tensor, file] : map) places.emplace(file, 0);
  for (auto& [name, place] : places) {
    storage::require_inside(folder_, name);
    place = files_.size();
    files_.emplace_back(folder_ / name);
    require_named(index, map, name, files_.back());
  }
  for (const auto& [tensor, file] : map) {
    const std::size_t place = places.at(file);
    require_found(index, tensor, files_[place]);
    file_of_.emplace(tensor, place);
  }
}

std::vector<std::string> SafetensorsFolder::names() const {
  std::vector<std::string> names;
  names.reserve(file_of_.size());
  for (const auto& [name, file] : file_of_) names.push_back(name);
  return names;
}

const SafetensorsFile& SafetensorsFolder::file_with(std::string_view name) const {
  const auto found = file_of_.find(name);
  if (found != file_of_.end()) return files_[found->second];
  throw data_error("the weights in '{}' have no tensor '{}': take a folder that holds it",
                   folder_.string(), excerpt(name));
}

const SafetensorsTensor& SafetensorsFolder::tensor(std::string_view name) const {
  return file_with(name).tensor(name);
}

void SafetensorsFolder::require_readable(std::string_view name) const {
  file_with(name).require_readable(name);
}

void SafetensorsFolder::read(std::string_view name, std::uint64_t first,
                             std::span<float> out) const {
  file_with(name).read(name, first, out);
}

Hash128 SafetensorsFolder::sample() const {
  Hasher hasher;
  for (const auto& [name, file] : file_of_) hasher.update(std::as_bytes(std::span{name}));
  for (const SafetensorsFile& file : files_) file.sample(hasher);
  return hasher.digest();
}

}  // namespace ballast::formats
