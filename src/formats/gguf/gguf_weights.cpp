#include "formats/gguf/gguf_weights.hpp"

#include <algorithm>
#include <map>
#include <string>

#include "base/error.hpp"
#include "formats/gguf/gguf_model_config.hpp"
#include "formats/gguf/gguf_names.hpp"
#include "formats/gguf/row_runs.hpp"
#include "formats/tensor_differences.hpp"

namespace ballast::formats {

namespace {

/// The one tensor that is no weight.
bool is_ignored(std::string_view name) { return name == kRopeFactorsName; }

TensorDifferences differences(const model::ParameterTable& table, const GgufFile& file) {
  TensorDifferences found{"its metadata"};
  std::map<std::string, const model::ParameterInfo*, std::less<>> wanted;
  for (const auto& row : table.parameters()) wanted[gguf_name(row.name)] = &row;
  for (const auto& [name, row] : wanted) {
    if (!file.contains(name)) {
      found.add_missing(name);
    } else {
      found.compare(name, file.tensor(name).shape, row->shape);
    }
  }
  for (const GgufTensor& tensor : file.tensors()) {
    if (!wanted.contains(tensor.name) && !is_ignored(tensor.name)) found.add_surplus(tensor.name);
  }
  return found;
}

}  // namespace

GgufWeights::GgufWeights(const model::ParameterTable& table, const std::filesystem::path& path)
    : file_{path} {
  const GgufModel model = read_gguf_model(file_);
  architecture_ = model.architecture;
  head_dim_ = model.model.head_dim();
  gain_offset_ = model.model.norm_rule().gain_offset;
  const std::string text = differences(table, file_).text();
  if (text.empty()) return;
  throw data_error("{}: its tensors are not those of the model in its metadata:{}", path.string(),
                   text);
}

void GgufWeights::read(const model::ParameterInfo& tensor, GranuleRange range,
                       std::span<float> out) {
  const std::size_t first = range.first_element();
  const std::size_t logical = std::min(range.numel(), tensor.numel - first);
  const GgufTensor& stored = file_.tensor(gguf_name(tensor.name));
  const PairedRows rows = architecture_->rows_of(tensor.name, head_dim_);
  // A bias has a row of one element for each row of its matrix.
  const std::size_t columns = tensor.shape.size() == 1 ? 1 : stored.columns();
  for_each_run(rows, columns, first, logical, [&](const RowRun& run) {
    file_.read(stored.name, run.first_in_file, out.subspan(run.first, run.count));
  });
  if (tensor.role == model::TensorRole::gain && gain_offset_ != 0.0f) {
    for (float& gain : out.first(logical)) gain -= gain_offset_;
  }
  std::ranges::fill(out.subspan(logical), 0.0f);
}

}  // namespace ballast::formats
