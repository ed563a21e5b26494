#include "formats/huggingface/folder_weights.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "formats/huggingface/tensor_names.hpp"
#include "formats/tensor_differences.hpp"

namespace ballast::formats {

namespace {

/// What old files hold besides weights, and readers compute for themselves.
bool is_ignored(std::string_view name) {
  return name.ends_with("rotary_emb.inv_freq") || name.ends_with("attn.masked_bias");
}

bool is_tied(const model::ParameterTable& table) {
  return std::ranges::none_of(table.parameters_of_ends(),
                              [](const model::ParameterInfo& row) { return row.name == "head"; });
}

/// The tensors that a folder is asked for, by its names. A head beside an embedding that is the
/// head must be the same matrix.
std::map<std::string, const model::ParameterInfo*, std::less<>> wanted_of(
    const model::ParameterTable& table, bool has_spare_head) {
  std::map<std::string, const model::ParameterInfo*, std::less<>> wanted;
  const HuggingFaceNames names{table};
  for (const auto& row : table.parameters()) wanted[names.of(row.name)] = &row;
  if (has_spare_head) wanted[names.of("head")] = &table.find("embedding");
  return wanted;
}

TensorDifferences differences(const model::ParameterTable& table, const SafetensorsFolder& folder,
                              bool has_spare_head) {
  TensorDifferences found{"config.json"};
  const auto wanted = wanted_of(table, has_spare_head);
  for (const auto& [name, row] : wanted) {
    if (folder.contains(name)) {
      found.compare(name, folder.tensor(name).shape, row->shape);
    } else {
      found.add_missing(name);
    }
  }
  for (const std::string& name : folder.names()) {
    if (!wanted.contains(name) && !is_ignored(name)) found.add_surplus(name);
  }
  return found;
}

}  // namespace

HuggingFaceWeights::HuggingFaceWeights(const model::ParameterTable& table,
                                       const std::filesystem::path& folder)
    : folder_{folder},
      names_{table},
      has_spare_head_{is_tied(table) && folder_.contains(names_.of("head"))} {
  const std::string text = differences(table, folder_, has_spare_head_).text();
  if (!text.empty()) {
    throw data_error("{}: its tensors are not those of the model in its config.json:{}",
                     folder.string(), text);
  }
  for (const auto& [name, row] : wanted_of(table, has_spare_head_)) folder_.require_readable(name);
}

void HuggingFaceWeights::read(const model::ParameterInfo& tensor, GranuleRange range,
                              std::span<float> out) {
  const std::size_t first = range.first_element();
  const std::size_t logical = std::min(range.numel(), tensor.numel - first);
  const auto values = out.first(logical);
  folder_.read(names_.of(tensor.name), first, values);
  std::ranges::fill(out.subspan(logical), 0.0f);
  if (has_spare_head_ && tensor.name == "embedding") require_tied(tensor, first, values);
}

void HuggingFaceWeights::require_tied(const model::ParameterInfo& embedding, std::size_t first,
                                      std::span<const float> values) const {
  std::vector<float> head(values.size());
  folder_.read(names_.of("head"), first, head);
  const auto [theirs, ours] = std::ranges::mismatch(head, values);
  if (theirs == head.end()) return;
  throw data_error(
      "{}: config.json says tie_word_embeddings, but {} is another matrix than {} (element {}): "
      "set it to false, or remove the tensor",
      folder_.path().string(), names_.of("head"), names_.of(embedding.name),
      first + static_cast<std::size_t>(theirs - head.begin()));
}

ElementType stored_type(const model::ParameterTable& table, const std::filesystem::path& folder) {
  const HuggingFaceWeights weights{table, folder};
  const HuggingFaceNames names{table};
  std::optional<ElementType> type;
  for (const auto& row : table.parameters()) {
    const ElementType own = *weights.folder().tensor(names.of(row.name)).dtype->element;
    if (type && *type != own) return ElementType::fp32;
    type = own;
  }
  return type.value_or(ElementType::fp32);
}

}  // namespace ballast::formats
