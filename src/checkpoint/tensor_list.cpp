#include "checkpoint/tensor_list.hpp"

#include <algorithm>
#include <fmt/ranges.h>
#include <map>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/text.hpp"

namespace ballast::checkpoint {

namespace {

constexpr std::size_t kMostListed = 8;

using Shapes = std::map<std::string, std::vector<std::uint64_t>>;

Shapes shapes_of(const Manifest& manifest) {
  Shapes shapes;
  for (const auto& tensor : manifest.tensors) shapes[tensor.name] = tensor.shape;
  return shapes;
}

std::string shape_text(const std::vector<std::uint64_t>& shape) {
  return fmt::format("[{}]", excerpt(fmt::format("{}", fmt::join(shape, ", "))));
}

std::vector<std::string> differences(const Manifest& manifest, const model::ParameterTable& table) {
  Shapes saved = shapes_of(manifest);
  std::vector<std::string> found;
  for (const auto& parameter : table.parameters()) {
    const std::vector<std::uint64_t> shape{parameter.shape.begin(), parameter.shape.end()};
    const auto entry = saved.find(parameter.name);
    if (entry == saved.end()) {
      found.push_back(fmt::format("'{}' {} is missing", parameter.name, shape_text(shape)));
      continue;
    }
    if (entry->second != shape) {
      found.push_back(fmt::format("'{}' is {}, the model wants {}", parameter.name,
                                  shape_text(entry->second), shape_text(shape)));
    }
    saved.erase(entry);
  }
  for (const auto& [name, shape] : saved) {
    found.push_back(fmt::format("'{}' {} is not in the model", excerpt(name), shape_text(shape)));
  }
  return found;
}

bool same_order(const Manifest& manifest, const model::ParameterTable& table) {
  return std::ranges::equal(manifest.tensors, table.parameters(), {}, &TensorEntry::name,
                            &model::ParameterInfo::name);
}

}  // namespace

void require_same_tensors(const Manifest& manifest, const model::ParameterTable& table,
                          const std::filesystem::path& folder) {
  std::vector<std::string> found = differences(manifest, table);
  if (found.empty() && !same_order(manifest, table)) {
    found.emplace_back("the tensors come in another order, or twice");
  }
  if (found.empty()) return;
  const std::size_t listed = std::min(found.size(), kMostListed);
  const std::string more =
      found.size() > listed ? fmt::format("; and {} more", found.size() - listed) : "";
  found.resize(listed);
  throw data_error("checkpoint '{}' is of another model: {}{}", folder.string(),
                   fmt::join(found, "; "), more);
}

}  // namespace ballast::checkpoint
