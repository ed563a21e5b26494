#pragma once

#include <string>
#include <string_view>

#include "model/parameters.hpp"

namespace ballast::formats {

/// What the tensors of a model are called in a Hugging Face folder:
/// "model.layers.3.self_attn.q_proj.weight" for "block.3.wq". No element is moved: matrices are
/// [out, in] on both sides, and heads rotate in the same layout.
class HuggingFaceNames {
 public:
  explicit HuggingFaceNames(const model::ParameterTable& table);

  /// Throws an internal Error for a tensor that these families do not have.
  [[nodiscard]] std::string of(std::string_view tensor) const;

 private:
  bool has_output_norms_;  ///< then the norms of a block have other names
};

}  // namespace ballast::formats
