#pragma once

#include <span>

#include "model/parameters.hpp"

namespace ballast::fsdp {

/// The part of `room` that `unit` fills, its padding cleared: units of other shapes, whose tensors
/// end elsewhere, use the same room in turn, and padding takes part in sums and updates.
[[nodiscard]] std::span<float> room_for(const model::ParameterTable& table, model::UnitId unit,
                                        std::span<float> room);

}  // namespace ballast::fsdp
