#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/granule.hpp"
#include "model/parameters.hpp"

namespace ballast::model {

/// Writes the initial values of granules [range.first, range.end()) of one parameter into `out`
/// (range.numel() elements, padding zeroed). Element e of a tensor depends on (seed, tensor, e)
/// alone, so any split of the work gives the same model. `index`: the parameter's row.
void initialize(const ParameterInfo& parameter, std::size_t index, std::uint64_t seed,
                GranuleRange range, std::span<float> out);

}  // namespace ballast::model
