#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/gguf/blocks/file_type.hpp"
#include "formats/gguf/gguf_header.hpp"
#include "formats/gguf/paired_rows.hpp"
#include "model/parameters.hpp"

namespace ballast::formats {

/// What a GGUF file holds besides a model.
struct GgufText {
  std::string name{};        ///< general.name; empty: none
  GgufMetadata tokenizer{};  ///< all keys of "tokenizer."; empty: the file has no tokenizer
  /// Where importance is from: keys of "quantize.imatrix."; empty: nobody measured any.
  GgufMetadata importance{};
};

/// How much errors in each column of a matrix matter, by our name of the tensor: see
/// quantize_weighted. Tensors that are not there are rounded as they are.
using GgufImportance = std::map<std::string, std::vector<float>, std::less<>>;

/// The keys that llama.cpp writes on an importance: a name of the text that it was measured on, how
/// many windows of it were read, and of how many matrices it is.
[[nodiscard]] GgufMetadata gguf_importance_keys(const std::string& text, std::size_t windows,
                                                const GgufImportance& importance);

/// Where a tensor of a model goes.
struct PlannedGgufTensor {
  GgufTensor tensor;
  PairedRows rows;
  std::vector<float> importance;  ///< of its columns; empty: all matter alike
};

/// Where the tensors of a model go in a GGUF file: what processes must agree on to write one
/// together. Equal arguments give equal plans.
class GgufPlan {
 public:
  /// `table` is the model's. Throws a usage Error that names the key of a model that llama.cpp does
  /// not compute, or if there are more elements than a file can hold; a data Error if a tensor of
  /// `importance` is not of this model, or has another number of columns.
  GgufPlan(const model::ModelConfig& model, const model::ParameterTable& table, GgufFileType type,
           const GgufImportance& importance = {});

  /// The architecture's name.
  [[nodiscard]] const std::string& architecture() const { return architecture_; }
  /// The file up to its data. Throws a usage Error if it would be longer than what is read.
  [[nodiscard]] std::string head(const GgufText& text) const;
  /// By our name of the tensor; an internal Error if there is none.
  [[nodiscard]] const PlannedGgufTensor& tensor(std::string_view name) const;
  /// What is added to the gains of norms.
  [[nodiscard]] float gain_offset() const { return gain_offset_; }
  /// The values of the tensor of rotary factors, which is no weight; empty if there is none. It
  /// begins at this byte of the data.
  [[nodiscard]] std::span<const float> rope_factors() const { return rope_factors_; }
  [[nodiscard]] std::uint64_t rope_factors_begin() const { return rope_factors_begin_; }
  /// Elements of all weights.
  [[nodiscard]] std::uint64_t total_parameters() const { return total_parameters_; }
  /// Of what follows the head.
  [[nodiscard]] std::uint64_t data_bytes() const { return data_bytes_; }

 private:
  std::string architecture_;
  float gain_offset_;
  GgufMetadata metadata_;            ///< of the model
  std::vector<GgufTensor> in_file_;  ///< in the order of the file
  std::map<std::string, PlannedGgufTensor, std::less<>> tensors_;
  std::vector<float> rope_factors_;
  std::uint64_t rope_factors_begin_ = 0;
  std::uint64_t total_parameters_ = 0;
  std::uint64_t data_bytes_ = 0;
};

}  // namespace ballast::formats
