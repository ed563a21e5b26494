#include "formats/gguf/gguf_plan.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/checked_cast.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "formats/checked.hpp"
#include "formats/gguf/blocks/tensor_type.hpp"
#include "formats/gguf/gguf_architecture.hpp"
#include "formats/gguf/gguf_cursor.hpp"
#include "formats/gguf/gguf_model_config.hpp"
#include "formats/gguf/gguf_names.hpp"
#include "formats/gguf/gguf_rope.hpp"

namespace ballast::formats {

namespace {

/// Positions in files are signed.
constexpr auto kMostBytes =
    static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) - 2 * kMostGgufHeaderBytes;
constexpr std::uint32_t kQuantizationVersion = 2;  // of the blocks, as ggml counts

/// All tensors, one behind the other.
class Placement {
 public:
  /// The tensor with its place.
  const GgufTensor& add(std::string name, BlockType type, std::vector<std::uint64_t> shape) {
    GgufTensor tensor{std::move(name), type, std::move(shape)};
    const auto numel = numel_of(tensor.shape);
    const auto most = numel ? checked_product(*numel, sizeof(float)) : std::nullopt;
    const auto end = most ? checked_sum(end_, *most) : std::nullopt;
    if (!end || *end > kMostBytes) {
      throw usage_error("the tensors have more bytes than a file can hold: choose smaller sizes");
    }
    tensor.numel = *numel;
    tensor.begin = end_;
    tensor.bytes = stored_bytes(type, tensor.numel);
    end_ = aligned(tensor.begin + tensor.bytes);
    tensors_.push_back(std::move(tensor));
    return tensors_.back();
  }
  /// All of them.
  [[nodiscard]] std::vector<GgufTensor> take() { return std::move(tensors_); }
  /// Bytes of the data, the padding behind the last tensor among them.
  [[nodiscard]] std::uint64_t bytes() const { return end_; }

 private:
  std::vector<GgufTensor> tensors_;
  std::uint64_t end_ = 0;
};

GgufMetadata metadata_for(const model::ModelConfig& model, GgufFileType type) {
  GgufMetadata metadata = gguf_model_keys(model);
  metadata.push_back({"general.file_type", static_cast<std::uint32_t>(type)});
  metadata.push_back({"general.quantization_version", kQuantizationVersion});
  return metadata;
}

ModelTraits traits_of(const model::ModelConfig& model, std::string_view architecture,
                      bool is_weighted) {
  return {.architecture = architecture,
          .layers = model.layers,
          .heads = model.heads,
          .kv_heads = model.kv_heads,
          .is_tied = model.tie_embeddings,
          .is_weighted = is_weighted};
}

/// The importance of this tensor's columns, if anybody says.
std::vector<float> importance_of(const GgufImportance& all, const model::ParameterInfo& row) {
  const auto found = all.find(row.name);
  if (found == all.end()) return {};
  if (row.shape.size() == 2 && row.shape.back() == found->second.size()) return found->second;
  throw data_error("the importance of '{}' has {} columns, the tensor {}: take that of this model",
                   row.name, found->second.size(), row.shape.back());
}

void require_known(const GgufImportance& importance, const model::ParameterTable& table) {
  for (const auto& entry : importance) {
    const bool is_known = std::ranges::any_of(
        table.parameters(), [&](const auto& row) { return row.name == entry.first; });
    if (is_known) continue;
    throw data_error("there is an importance of '{}', which the model does not have",
                     excerpt(entry.first));
  }
}

}  // namespace

GgufMetadata gguf_importance_keys(const std::string& text, std::size_t windows,
                                  const GgufImportance& importance) {
  return {{"quantize.imatrix.dataset", text},
          {"quantize.imatrix.entries_count", checked_cast<std::uint32_t>(importance.size())},
          {"quantize.imatrix.chunks_count", checked_cast<std::uint32_t>(windows)}};
}

GgufPlan::GgufPlan(const model::ModelConfig& model, const model::ParameterTable& table,
                   GgufFileType type, const GgufImportance& importance)
    : gain_offset_{model.norm_rule().gain_offset}, metadata_{metadata_for(model, type)} {
  const GgufArchitecture& architecture = gguf_architecture_of(model);
  architecture_ = architecture.name;
  require_known(importance, table);
  const ModelTraits traits = traits_of(model, architecture.name, !importance.empty());
  Placement placement;
  for (const auto& row : table.parameters()) {
    const std::string name = gguf_name(row.name);
    const BlockType block = tensor_type(
        type, traits, {.name = name, .dimensions = row.shape.size(), .row = row.shape.back()});
    const GgufTensor& tensor = placement.add(name, block, {row.shape.begin(), row.shape.end()});
    total_parameters_ += tensor.numel;
    tensors_.emplace(row.name,
                     PlannedGgufTensor{tensor, architecture.rows_of(row.name, model.head_dim()),
                                       importance_of(importance, row)});
  }
  rope_factors_ = formats::rope_factors(model.rope, model.head_dim());
  if (!rope_factors_.empty()) {
    rope_factors_begin_ =
        placement.add(std::string{kRopeFactorsName}, BlockType::f32, {rope_factors_.size()}).begin;
  }
  data_bytes_ = placement.bytes();
  in_file_ = placement.take();
}

std::string GgufPlan::head(const GgufText& text) const {
  GgufMetadata metadata = metadata_;
  if (!text.name.empty()) metadata.push_back({"general.name", text.name});
  metadata.insert(metadata.end(), text.importance.begin(), text.importance.end());
  // What llama.cpp takes for "token ids alone".
  if (text.tokenizer.empty()) metadata.push_back({"tokenizer.ggml.model", std::string{"no_vocab"}});
  metadata.insert(metadata.end(), text.tokenizer.begin(), text.tokenizer.end());
  std::string bytes = gguf_header_bytes(metadata, in_file_);
  if (bytes.size() <= kMostGgufHeaderBytes) return bytes;
  throw usage_error("the tokenizer's keys take {}; at most {} are read: choose a smaller one",
                    human_bytes(bytes.size()), human_bytes(kMostGgufHeaderBytes));
}

const PlannedGgufTensor& GgufPlan::tensor(std::string_view name) const {
  const auto found = tensors_.find(name);
  if (found != tensors_.end()) return found->second;
  throw internal_error("no tensor '{}' is to be written", excerpt(name));
}

}  // namespace ballast::formats
