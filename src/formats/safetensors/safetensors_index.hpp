#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace ballast::formats {

/// Names of the weights in a Hugging Face folder: one file, or several and an index that says which
/// tensor is in which of them.
inline constexpr const char* kSafetensorsName = "model.safetensors";
inline constexpr const char* kSafetensorsIndexName = "model.safetensors.index.json";

/// Files of one model, all of which are open at once. The largest published models have 200.
inline constexpr std::size_t kMostSafetensorsFiles = 512;

/// Tensor to file.
using WeightMap = std::map<std::string, std::string, std::less<>>;

/// What the text of an index says. Throws a data Error that names the tensor or file if it is not
/// what the format demands, if a name of a file is no plain one (it has a `/`, say, and may mean a
/// file elsewhere), or if there are more than kMostSafetensorsFiles.
[[nodiscard]] WeightMap parse_weight_map(std::string_view text);

/// The text of an index, as Hugging Face writes it.
[[nodiscard]] std::string write_index(const WeightMap& weight_map, std::uint64_t total_parameters,
                                      std::uint64_t total_size);

}  // namespace ballast::formats
