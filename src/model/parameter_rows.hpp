#pragma once

#include <cstddef>
#include <vector>

#include "model/model_config.hpp"
#include "model/parameter_info.hpp"

namespace ballast::model {

/// The tensors of a model in canonical order, before it is said which unit each belongs to.
struct ParameterRows {
  std::vector<ParameterInfo> rows;  ///< unit and offset are still open
  std::size_t head;                 ///< the first row behind embedding and positions
  std::vector<std::size_t> layers;  ///< the first row of each layer, and one past the last
};
[[nodiscard]] ParameterRows list_parameters(const ModelConfig& config);

}  // namespace ballast::model
