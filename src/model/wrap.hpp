#pragma once

#include <string_view>

#include "model/grouping.hpp"
#include "model/model_config.hpp"

namespace ballast::model {

/// The grouping that a text asks for: "block", "blocks:N", "size:N" (consecutive blocks are joined
/// until a unit has at least N parameters) or "whole". A usage Error that names parallel.wrap for
/// anything else, and for an N that no unit can have.
[[nodiscard]] Grouping parse_wrap(std::string_view wrap, const ModelConfig& config);

}  // namespace ballast::model
