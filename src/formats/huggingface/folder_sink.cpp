#include "formats/huggingface/folder_sink.hpp"

#include <algorithm>
#include <vector>

namespace ballast::formats {

SafetensorsPlan plan_huggingface_weights(const model::ParameterTable& table, ElementType type,
                                         std::uint64_t most_bytes) {
  const HuggingFaceNames names{table};
  std::vector<NamedShape> tensors;
  for (const auto& row : table.parameters()) {
    tensors.push_back({names.of(row.name), {row.shape.begin(), row.shape.end()}});
  }
  return {tensors, type, most_bytes};
}

void HuggingFaceSink::write(const model::ParameterInfo& tensor, GranuleRange range,
                            std::span<const float> values) {
  const std::size_t first = range.first_element();
  const std::size_t logical = std::min(range.numel(), tensor.numel - first);
  writer_.write(names_.of(tensor.name), first, values.first(logical));
}

}  // namespace ballast::formats
