#include "formats/safetensors/safetensors_index.hpp"

#include <nlohmann/json.hpp>
#include <set>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "formats/safetensors/safetensors_header.hpp"

namespace ballast::formats {

namespace {

/// Of a name of a file, on the usual file systems.
constexpr std::size_t kLongestFileName = 255;

/// Whether it names an entry of the folder, and may stand in a message as it is.
bool is_plain_name(std::string_view file) {
  if (file.empty() || file.size() > kLongestFileName || file == "." || file == "..") return false;
  return file.find('/') == std::string_view::npos && excerpt(file, file.size()) == file;
}

}  // namespace

WeightMap parse_weight_map(std::string_view text) {
  const Json index = parse_json(text);
  const auto found = index.is_object() ? index.find("weight_map") : index.end();
  if (found == index.end() || !found->is_object()) {
    throw data_error("it has no object 'weight_map'");
  }
  WeightMap weight_map;
  std::set<std::string> files;
  for (const auto& [tensor, file] : found->items()) {
    if (tensor.size() > kLongestTensorName) {
      throw data_error("the name '{}' has {} bytes; at most {} are read", excerpt(tensor),
                       tensor.size(), kLongestTensorName);
    }
    if (!file.is_string()) throw data_error("tensor '{}': its file is no string", excerpt(tensor));
    const auto& name = file.get_ref<const std::string&>();
    if (!is_plain_name(name)) {
      throw data_error("tensor '{}': '{}' is no plain name of a file in this folder",
                       excerpt(tensor), excerpt(name));
    }
    files.insert(name);
    weight_map.emplace(tensor, name);
  }
  if (files.size() > kMostSafetensorsFiles) {
    throw data_error("it names {} files; at most {} are read", files.size(), kMostSafetensorsFiles);
  }
  return weight_map;
}

std::string write_index(const WeightMap& weight_map, std::uint64_t total_parameters,
                        std::uint64_t total_size) {
  // Python's json.dumps(index, indent=2, sort_keys=True) and an end of line: this type of the
  // library sorts, too.
  const nlohmann::json index{
      {"metadata", {{"total_parameters", total_parameters}, {"total_size", total_size}}},
      {"weight_map", nlohmann::json::object_t{weight_map.begin(), weight_map.end()}}};
  constexpr bool kAscii = true;
  return index.dump(2, ' ', kAscii) + "\n";
}

}  // namespace ballast::formats
